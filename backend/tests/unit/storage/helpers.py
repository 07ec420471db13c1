"""What the tests of the local store do again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from app.storage.base import PlannedPart
from app.storage.local import LocalStore

PART = 1 << 20


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def planned(size: int, part: int = PART) -> list[PlannedPart]:
    return [
        PlannedPart(number, offset, min(part, size - offset))
        for number, offset in enumerate(range(0, size, part), start=1)
    ]


async def content(store: LocalStore, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


def files_in(store: LocalStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


async def send(store: LocalStore, upload: str, data: bytes, parts: list[PlannedPart]) -> dict[int, str]:
    return {
        part.number: await store.put_part(upload, part, stream(data[part.offset : part.offset + part.size]))
        for part in parts
    }
