"""Serves the built pages beside the API, where they exist: hashed assets for ever, the shell for every other path."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

_NOT_PAGES = ("api/", "ws/", "v1/", "v2/", "docs", "redoc", "openapi.json")
_FOREVER = "public, max-age=31536000, immutable"


def add_pages(app: FastAPI, dist: Path) -> bool:
    """Add the catch-all route; False where there is no build. Call it after all routers."""
    index = dist / "index.html"
    if not index.is_file():
        return False
    root = dist.resolve()

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str, _request: Request) -> Response:
        if path.startswith(_NOT_PAGES):
            raise HTTPException(404)
        wanted = (root / path).resolve()
        if path and wanted.is_relative_to(root) and wanted.is_file():
            hashed = path.startswith("assets/")
            return FileResponse(wanted, headers={"Cache-Control": _FOREVER if hashed else "no-cache"})
        if path.startswith("assets/"):
            raise HTTPException(404)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    return True
