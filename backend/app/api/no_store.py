"""Answers that hold a secret are kept nowhere."""

from __future__ import annotations

from fastapi import Response


async def no_store(response: Response) -> None:
    """For routers, as a dependency."""
    response.headers["Cache-Control"] = "no-store"
