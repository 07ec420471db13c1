"""Model files on disk: found by name or path, and verified before any native code sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.asr.models import ggml, notes
from app.asr.models.catalogue import CatalogueEntry, find
from app.core.errors import JobError


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A usable model. `name` is the catalogue's, or the stem of the operator's own file."""

    name: str
    path: Path


def resolve(name_or_path: str, models_dir: Path) -> ModelFile | None:
    """The file of a model; None where it is not here.

    A path (with a separator, or ending in .bin or .onnx) is the operator's own file, a ggml one looked at by its
    structure; a name is the catalogue's, checked by size each time and by SHA-256 once. Raises JobError
    `model_invalid`.
    """
    if is_path(name_or_path):
        path = Path(name_or_path).expanduser().absolute()
        if not path.is_file():
            return None
        if path.suffix != ".onnx":  # for telling speakers apart: never handed to Whisper
            ggml.check(path)
        return ModelFile(path.stem, path)
    entry = find(name_or_path)
    if entry is None:
        return None
    path = models_dir / entry.file
    if not path.is_file():
        return None
    verify(entry, path)
    return ModelFile(entry.name, path.absolute())


def is_path(name_or_path: str) -> bool:
    """Whether this names a file of the operator's own, not a model of the catalogue."""
    return "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith((".bin", ".onnx"))


def is_present(name_or_path: str, models_dir: Path) -> bool:
    """Whether the file is here in its full size; cheap, and says nothing about its bytes."""
    if is_path(name_or_path):
        return Path(name_or_path).expanduser().is_file()
    entry = find(name_or_path)
    path = models_dir / entry.file if entry is not None else None
    return entry is not None and path is not None and path.is_file() and path.stat().st_size == entry.bytes


def is_usable(name_or_path: str, models_dir: Path) -> bool:
    """Whether the file is here in its full size and was not found to have other bytes than it should; cheap, too.

    Nothing is hashed: what was found out last is in the note beside the file.
    """
    if not is_present(name_or_path, models_dir):
        return False
    entry = None if is_path(name_or_path) else find(name_or_path)
    note = notes.read(models_dir / entry.file) if entry is not None else None
    return entry is None or note is None or note.sha256 == entry.sha256


def part_of(path: Path) -> Path:
    """Where a download of a model's file grows."""
    return path.with_name(path.name + ".part")


def lock_of(path: Path) -> Path:
    """What the one process that downloads or removes a model's file has locked."""
    return path.with_name(path.name + ".lock")


def verify(entry: CatalogueEntry, path: Path, *, again: bool = False) -> None:
    """Compare size and SHA-256 with the pinned ones; a hash is noted beside the file, and counted anew with `again`.

    Raises JobError `model_invalid`.
    """
    size = path.stat().st_size
    if size != entry.bytes:
        raise _invalid(entry, path, f"{path.name} has {size} bytes instead of {entry.bytes}.")
    note = None if again else notes.read(path)
    if note is None:
        sha256 = notes.sha256_of(path)
        notes.write(path, sha256)
    else:
        sha256 = note.sha256
    if sha256 != entry.sha256:
        raise _invalid(entry, path, f"The bytes of {path.name} are not the published ones.")


def _invalid(entry: CatalogueEntry, path: Path, what: str) -> JobError:
    return JobError(
        "model_invalid",
        f"{what} `transcribe models download {entry.name}` puts a good one in its place in {path.parent}.",
    )
