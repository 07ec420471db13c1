"""All routers, in the order of the documentation. Routes are tried one after another, so what is
asked for most stands first.
"""

from starlette.routing import BaseRoute

from app.api.routers import (
    account,
    admin,
    api_keys,
    auth,
    bulk,
    files,
    jobs,
    live,
    members,
    oidc,
    operations,
    share_links,
    shared,
    shares,
    store,
    transcribe,
    webhooks,
    workspaces,
)

# live and bulk stand before jobs: /api/jobs/events is not the job named "events".
_ROUTERS = (
    live.router,
    bulk.router,
    jobs.router,
    transcribe.router,
    files.router,
    auth.router,
    account.router,
    oidc.router,
    store.router,
    shares.router,
    share_links.router,
    shared.router,
    workspaces.router,
    members.router,
    api_keys.router,
    webhooks.router,
    admin.router,
    operations.router,
)

ROUTES: tuple[BaseRoute, ...] = tuple(route for router in _ROUTERS for route in router.routes)
