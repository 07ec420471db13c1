"""Serves the built pages beside the API, where they exist: hashed assets for ever, the shell for every other path."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

_NOT_PAGES = frozenset({"api", "ws", "v1", "v2", "docs", "redoc", "metrics"})
_FOREVER = "public, max-age=31536000, immutable"


def add_pages(app: FastAPI, dist: Path) -> bool:
    """Answer what no route takes from `dist`; False where there is no build.

    A fallback and no route of its own: a catch-all route would turn 405 into 404.
    """
    root = dist.resolve()
    if not (root / "index.html").is_file():
        return False
    nothing_here = app.router.default

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        file = _file_for(root, scope) if scope["type"] == "http" else None
        if file is None:
            await nothing_here(scope, receive, send)
            return
        hashed = file.parent == root / "assets"
        answer = FileResponse(file, headers={"Cache-Control": _FOREVER if hashed else "no-cache"})
        await answer(scope, receive, send)

    app.router.default = page
    return True


def _file_for(root: Path, scope: Scope) -> Path | None:
    """The file of a path, the shell for a path of the pages' own router, None for everything else."""
    path: str = scope["path"].lstrip("/")
    if scope["method"] not in ("GET", "HEAD") or path.partition("/")[0] in _NOT_PAGES:
        return None
    try:
        wanted = (root / path).resolve()
        if path and wanted.is_relative_to(root) and wanted.is_file():
            return wanted
    except (OSError, ValueError):  # a name that no file can have: too long, or with a NUL
        return None
    looks_like_a_file = "." in path.rpartition("/")[2]
    return None if looks_like_a_file or path.startswith("assets/") else root / "index.html"
