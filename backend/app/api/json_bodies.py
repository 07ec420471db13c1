"""JSON as requests may bring it: no NaN and no infinity, which are no JSON, and nothing that is nested without measure."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MAX_DEPTH = 32  # nothing in this API is deeper than 4


class JsonTooDeepError(HTTPException):
    """422 `validation_error` on `body`; one of these because FastAPI lets no other error out of a body."""

    def __init__(self) -> None:
        super().__init__(422, f"The body's JSON is nested deeper than {MAX_DEPTH} levels.")


class JsonRequest(Request):
    """Reads its body strictly. `json` raises `JSONDecodeError` and `JsonTooDeepError`."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


class JsonRoute(APIRoute):
    """A route whose endpoint gets a `JsonRequest`, where it has a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return handle_json


def read_json(body: bytes) -> Any:
    """Raises `json.JSONDecodeError` for what is no JSON, `JsonTooDeepError` for what is nested too deep."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise JsonTooDeepError
    return json.loads(body, parse_constant=_no_constant)


def _depth(body: bytes) -> int:
    """How deep arrays and objects lie in each other, brackets inside of strings aside; before anything is parsed."""
    depth = deepest = 0
    inside = escaped = False
    for byte in body:
        if inside:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside = False
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _no_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)
