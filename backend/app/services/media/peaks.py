"""The drawing of a recording's loudness: an object beside the recording, written once."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

from app.asr.audio.peaks import to_audiowaveform
from app.asr.types import Peaks
from app.core.errors import AppError
from app.core.logging import get_logger
from app.storage.base import ObjectStore
from app.storage.keys import sibling_key

log = get_logger(__name__)

KIND = "peaks"


async def store_peaks(store: ObjectStore, storage_key: str, peaks: Peaks) -> str | None:
    """Writes the peaks of the recording at `storage_key` and answers their key.

    None where the store does not take them: a drawing that is missing is no reason to lose a transcript.
    """
    drawing = json.dumps(to_audiowaveform(peaks), separators=(",", ":")).encode()
    return await _store(store, storage_key, drawing)


async def copy_peaks(store: ObjectStore, key: str | None, storage_key: str) -> str | None:
    """The peaks at `key` for another recording of the same bytes; None as above, or where there are none."""
    if key is None:
        return None
    try:
        drawing = await read_peaks(store, key)
    except (AppError, OSError):
        return None
    return await _store(store, storage_key, drawing)


async def _store(store: ObjectStore, storage_key: str, drawing: bytes) -> str | None:
    key = sibling_key(storage_key, KIND)
    scratch = store.scratch_dir() / f"{uuid4().hex}.tmp"
    try:
        await asyncio.to_thread(scratch.write_bytes, drawing)
        await store.put_file(key, scratch)
    except (AppError, OSError) as error:
        log.warning("peaks_not_stored", key=key, error=str(error)[:200])
        return None
    finally:
        scratch.unlink(missing_ok=True)
    return key


async def read_peaks(store: ObjectStore, key: str) -> bytes:
    """The JSON as `store_peaks` wrote it."""
    return b"".join([block async for block in store.read(key)])
