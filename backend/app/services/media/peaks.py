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
    key = sibling_key(storage_key, KIND)
    scratch = store.scratch_dir() / f"{uuid4().hex}.tmp"

    def write() -> None:
        scratch.write_text(json.dumps(to_audiowaveform(peaks), separators=(",", ":")))

    try:
        await asyncio.to_thread(write)
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
