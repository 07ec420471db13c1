"""For operators and load balancers: /health, /ready, /version."""

from __future__ import annotations

from fastapi import APIRouter

from app import __version__
from app.core.clock import to_json_time, utcnow

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process is alive. Says nothing about what it depends on: see /ready."""
    return {"status": "ok", "timestamp": to_json_time(utcnow()), "version": __version__}


@router.get("/version")
async def version() -> dict[str, str]:
    """The version of this server."""
    return {"version": __version__}
