"""The address that people and signed URLs use."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


async def base_url(request: Request) -> str:
    """PUBLIC_URL, else scheme and host as the caller reached us; without a slash at the end."""
    public: str = request.app.state.settings.server.public_url
    return public or str(request.base_url).rstrip("/")


BaseUrl = Annotated[str, Depends(base_url)]
