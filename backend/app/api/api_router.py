"""The router that every module in `app.api.routers` fills: how operations are named, and how much JSON they take."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.api.json_bodies import JsonRoute

MAX_JSON_BYTES = 1 << 20  # recordings have routes of their own, which count bytes as they stream


def _operation_id(route: APIRoute) -> str:
    """Stable and readable: jobs_create, auth_login."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


class ApiRouter(APIRouter):
    """Its routes are complete when they are declared, so that an application takes them as they are. Including a
    router would analyse each of them once more, in every application and within its first request."""

    def __init__(self, *, route_class: type[JsonRoute] = JsonRoute, **options: Any) -> None:
        super().__init__(
            generate_unique_id_function=_operation_id,
            max_body_size=MAX_JSON_BYTES,
            route_class=route_class,
            **options,
        )
