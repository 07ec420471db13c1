"""For operators and load balancers: /health, /ready, /version; for clients: /api/options."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from app import __version__
from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, require_operator
from app.core.clock import to_json_time, utcnow
from app.core.metrics import CONTENT_TYPE
from app.schemas.operations import Health, Options, Ready, Version
from app.services.admin.gauges import set_gauges
from app.services.admin.options import read_options

router = ApiRouter(tags=["operations"])


@router.get("/health", response_model=Health)
async def health() -> Any:
    """The process is alive. Says nothing about what it depends on: see /ready."""
    return {"status": "ok", "timestamp": to_json_time(utcnow()), "version": __version__}


@router.get("/ready", response_model=Ready, responses={503: {"model": Ready}})
async def ready(container: ContainerDep, response: Response) -> Any:
    """Database, migrations, storage, engine and disk; 503 names what is wrong."""
    checks = await container.readiness.check()
    well = all(check.ok for check in checks.values())
    if not well:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return {
        "status": "ready" if well else "unavailable",
        "checks": {name: {"ok": c.ok, "detail": c.detail} for name, c in checks.items()},
    }


@router.get("/version", response_model=Version)
async def version() -> Any:
    """The version of this server."""
    return {"version": __version__}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, container: ContainerDep) -> Response:
    """Figures for Prometheus; answers this machine and administrators only."""
    await require_operator(container, request)
    await set_gauges(container.metrics, container.database, container.pool, container.bus)
    return Response(container.metrics.render(), media_type=CONTENT_TYPE)


@router.get("/api/options", response_model=Options)
async def options(container: ContainerDep) -> Any:
    """Limits, engines, models and languages that a client may offer."""
    return await read_options(
        container.settings, container.database, container.identity, container.oidc, container.chooser
    )
