"""The web application: lifespan, routers, handlers, middleware, and the built pages where they exist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app import __version__
from app.api.errors import add_error_handlers
from app.api.middleware import RequestContextMiddleware
from app.api.routers import ROUTERS
from app.api.spa import add_pages
from app.core.config import PROJECT_ROOT, Settings
from app.core.logging import configure_logging
from app.core.signals import on_stop_signal
from app.factory import build_container


def _operation_id(route: APIRoute) -> str:
    """Stable and readable: jobs_create, auth_login."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application. Settings come from the environment unless given."""
    settings = settings or Settings.load()
    configure_logging(settings.server.log_format, settings.server.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        container = build_container(settings)
        app.state.container = container
        await container.start()
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
        generate_unique_id_function=_operation_id,
        separate_input_output_schemas=False,
    )
    app.state.settings = settings
    add_error_handlers(app)
    app.add_middleware(RequestContextMiddleware)
    for router in ROUTERS:
        app.include_router(router)
    add_pages(app, PROJECT_ROOT / "frontend" / "dist")
    return app


app = create_app()
