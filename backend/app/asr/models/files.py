"""Model files on disk: found by name or path, and verified before any native code sees them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from app.asr.models import ggml
from app.asr.models.catalogue import CatalogueEntry, find
from app.core.errors import JobError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A usable model. `name` is the catalogue's, or the stem of the operator's own file."""

    name: str
    path: Path


def resolve(name_or_path: str, models_dir: Path) -> ModelFile | None:
    """The file of a model; None where it is not here.

    A path (with a separator, or ending in .bin) is the operator's own ggml file, looked at by its structure; a name
    is the catalogue's, checked by size each time and by SHA-256 once. Raises JobError `model_invalid`.
    """
    if is_path(name_or_path):
        path = Path(name_or_path).expanduser().absolute()
        if not path.is_file():
            return None
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
    return "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(".bin")


def is_present(name_or_path: str, models_dir: Path) -> bool:
    """Whether the file is here in its full size; cheap, and says nothing about its bytes."""
    if is_path(name_or_path):
        return Path(name_or_path).expanduser().is_file()
    entry = find(name_or_path)
    path = models_dir / entry.file if entry is not None else None
    return entry is not None and path is not None and path.is_file() and path.stat().st_size == entry.bytes


def verify(entry: CatalogueEntry, path: Path) -> None:
    """Compare size and SHA-256 with the pinned ones; a hash that was right once is remembered beside the file.

    Raises JobError `model_invalid`.
    """
    facts = path.stat()
    if facts.st_size != entry.bytes:
        raise JobError(
            "model_invalid",
            f"{path.name} has {facts.st_size} bytes instead of {entry.bytes}. Remove it and download it again.",
        )
    seen = {"sha256": entry.sha256, "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    note = path.with_name(path.name + ".ok")
    with contextlib.suppress(OSError, ValueError):
        if json.loads(note.read_text("utf-8")) == seen:
            return
    if sha256_of(path) != entry.sha256:
        raise JobError(
            "model_invalid",
            f"The bytes of {path.name} are not the published ones. Remove it and download it again.",
        )
    remember(entry, path)


def remember(entry: CatalogueEntry, path: Path) -> None:
    """Note beside the file that its hash was right; a folder that cannot be written to costs a hash each start."""
    facts = path.stat()
    seen = {"sha256": entry.sha256, "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    with contextlib.suppress(OSError):
        path.with_name(path.name + ".ok").write_text(json.dumps(seen), encoding="utf-8")


def sha256_of(path: Path) -> str:
    """In hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
