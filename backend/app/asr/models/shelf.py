"""The model folder as an operator sees it: what state each file is in, checked anew, removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from app.asr.models import notes
from app.asr.models.catalogue import CatalogueEntry
from app.asr.models.files import lock_of, part_of, verify
from app.core.errors import ConflictError, NotFoundError
from app.core.locks import AlreadyLockedError, is_held, lock_file


class FileState(StrEnum):
    """INVALID: another size, or a hash that was counted and is wrong. PRESENT may not have been hashed yet."""

    ABSENT = "absent"
    DOWNLOADING = "downloading"
    PRESENT = "present"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What is on disk of one model. `received` bytes are there; `verified_at` is when its hash was last right."""

    state: FileState
    received: int = 0
    verified_at: datetime | None = None
    held: bool = False


def inspect(entry: CatalogueEntry, models_dir: Path) -> FileStatus:
    """Looks at sizes, notes and locks only: cheap. `held` says that a process, of whatever program, has it loaded."""
    path = models_dir / entry.file
    held = is_held(path)
    if is_held(lock_of(path)):
        return FileStatus(FileState.DOWNLOADING, _size(part_of(path)), held=held)
    if not path.is_file():
        return FileStatus(FileState.ABSENT, _size(part_of(path)))
    size, note = _size(path), notes.read(path)
    right = note is not None and note.sha256 == entry.sha256
    if size != entry.bytes or (note is not None and not right):
        return FileStatus(FileState.INVALID, size, held=held)
    return FileStatus(FileState.PRESENT, size, note.at if note is not None else None, held)


def check_again(entry: CatalogueEntry, models_dir: Path) -> None:
    """Count the hash of a model's file anew and note it.

    Raises JobError `model_invalid`, and NotFoundError where the file is not here.
    """
    path = models_dir / entry.file
    if not path.is_file():
        raise NotFoundError(f"The model {entry.name} is not in {models_dir}.")
    verify(entry, path, again=True)


def remove(entry: CatalogueEntry, models_dir: Path) -> bool:
    """Remove a model's file and what a broken download left of it; True where there was something.

    Raises ConflictError while a process has it loaded, or another one downloads it.
    """
    path = models_dir / entry.file
    if not path.exists() and not part_of(path).exists():
        return False
    try:
        with lock_file(lock_of(path)):
            _unlink(entry, path)
    except AlreadyLockedError as error:
        raise ConflictError(
            f"{entry.name} is being downloaded by process {error.note or 'unknown'}. Stop that first."
        ) from None
    return True


def _unlink(entry: CatalogueEntry, path: Path) -> None:
    in_use = ConflictError(f"{entry.name} is in use: some process has it loaded. Try again when it is idle.")
    try:
        if path.exists():
            if is_held(path):
                raise in_use
            path.unlink()
        part_of(path).unlink(missing_ok=True)
        notes.forget(path)
    except PermissionError as error:
        raise ConflictError(f"{path} cannot be removed: {error.strerror}.") from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
