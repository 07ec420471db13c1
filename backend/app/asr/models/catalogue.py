"""The pinned facts of every Whisper model that can be downloaded: name, file, size, SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "data" / "models.tsv"
REPOSITORY = "ggerganov/whisper.cpp"
REVISION = "5359861c739e955e79d9a303bcbc70fb988958b1"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model. `bytes` is the exact size of the file, `sha256` in hex."""

    name: str
    file: str
    bytes: int
    sha256: str

    @property
    def multilingual(self) -> bool:
        return ".en" not in self.name

    def url(self, base: str) -> str:
        """Where the file is, below the hub or a mirror of it."""
        return f"{base.rstrip('/')}/{REPOSITORY}/resolve/{REVISION}/{self.file}"


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """All models, smallest family first."""
    rows = (
        line.split("\t")
        for line in TABLE.read_text("utf-8").splitlines()
        if not line.startswith(("#", "name\t"))
    )
    return tuple(CatalogueEntry(name, file, int(size), sha256) for name, file, size, sha256 in rows)


def find(name: str) -> CatalogueEntry | None:
    """The entry of a name, None where there is none."""
    return next((entry for entry in catalogue() if entry.name == name), None)


def is_known(name: str) -> bool:
    """Whether the catalogue has a model of this name."""
    return find(name) is not None
