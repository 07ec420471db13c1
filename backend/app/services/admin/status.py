"""What this server is made of: the status page of administrators."""

from __future__ import annotations

import asyncio
from typing import Any

from app import __version__
from app.core.config import Settings
from app.fetch.javascript import find_runtime, library_version, newer_library


async def read_status(settings: Settings) -> dict[str, Any]:
    """Asks a program for its version the first time, so in a thread."""
    return {
        "version": __version__,
        "yt_dlp": await asyncio.to_thread(_fetching, settings),
        "storage": {"backend": settings.storage.storage_backend},
        "database": {"dialect": settings.database_url.partition("+")[0].partition(":")[0]},
        "mail": {"sends": settings.sends_mail},
    }


def _fetching(settings: Settings) -> dict[str, Any]:
    folder = newer_library(settings.server.data_dir / "yt-dlp")
    runtime = find_runtime()
    return {
        "enabled": settings.links_allowed,
        "version": library_version(folder),
        "upgraded": folder is not None,
        "javascript": {"name": runtime.name, "version": runtime.version} if runtime else None,
    }
