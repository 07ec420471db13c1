"""The web application: lifespan, routers, handlers, middleware, and the built pages where they exist."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__
from app.api.edges.stack import add_edges
from app.api.error_responses import document_errors
from app.api.errors import add_error_handlers
from app.api.routers import ROUTES
from app.api.spa import add_pages
from app.core.config import PROJECT_ROOT, Environment, Settings
from app.core.logging import configure_logging, get_logger
from app.core.signals import on_stop_signal
from app.db.migrations import upgrade
from app.factory import build_container

log = get_logger(__name__)


async def _migrate(settings: Settings) -> None:
    """For a server that was started by its bare name; `transcribe serve` has done so before, with a copy."""
    if settings.server.env == Environment.LOCAL:
        await asyncio.to_thread(upgrade, settings.database_url, backups=settings.server.data_dir / "backups")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Settings come from the environment unless given."""
    settings = settings or Settings.load()
    configure_logging(settings.server.log_format, settings.server.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await _migrate(settings)
        container = build_container(settings)
        app.state.container = container
        token = await container.identity.registration.needed_setup_token()
        if token is not None:
            log.warning("setup_token_for_the_first_account", setup_token=token)
        await container.start()  # last: the port opens before the work in the background gets far
        undo = on_stop_signal(container.begin_stop)
        try:
            yield
        finally:
            undo()
            await container.close()

    app = FastAPI(
        title="Transcribe",
        version=__version__,
        summary="Audio and video into text that people can trust.",
        lifespan=lifespan,
        separate_input_output_schemas=False,
        routes=[*ROUTES],
    )
    app.state.settings = settings
    add_error_handlers(app)
    add_edges(app, settings)
    document_errors(app)
    add_pages(app, PROJECT_ROOT / "frontend" / "dist")
    return app


app = create_app()
