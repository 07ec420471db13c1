"""The pinned facts of every model that can be downloaded: name, file, size, SHA-256, licence, and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["speech", "speakers"]

TABLES = Path(__file__).resolve().parents[1] / "data"
HUB = "https://huggingface.co"
REPOSITORY = "ggerganov/whisper.cpp"
REVISION = "5359861c739e955e79d9a303bcbc70fb988958b1"
VOICES = "nemo_en_titanet_small"  # the model of voices to take first
_EIGHT_BITS = "-q8_0"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model. `bytes` is the exact size of the file, `sha256` in hex.

    `kind` is what it is for: hearing words (a ggml Whisper), or telling speakers apart (ONNX). `recommended` marks the
    form of each size to take first.
    """

    name: str
    file: str
    bytes: int
    sha256: str
    kind: Kind = "speech"
    licence: str = "MIT"
    recommended: bool = False
    home: str = HUB
    path: str = ""

    @property
    def multilingual(self) -> bool:
        """Whether it takes more than English; voices are told apart in any language."""
        return self.kind == "speakers" or ".en" not in self.name

    def url(self, base: str) -> str:
        """Where the file is: below MODEL_BASE_URL where that is a mirror, else at its home."""
        base = base.rstrip("/")
        path = self.path or f"{REPOSITORY}/resolve/{REVISION}/{self.file}"
        return f"{self.home if base == HUB else base}/{path}"


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """All models: those that hear words, smallest family first, then those that tell speakers apart."""
    return (*_speech(), *_speakers())


def find(name: str) -> CatalogueEntry | None:
    """The entry of a name, None where there is none."""
    return next((entry for entry in catalogue() if entry.name == name), None)


def is_known(name: str) -> bool:
    """Whether the catalogue has a model of this name that hears words."""
    entry = find(name)
    return entry is not None and entry.kind == "speech"


def _speech() -> Iterator[CatalogueEntry]:
    """q8_0 is recommended where it exists: no slower than f16 and about half its size; q5 is 1.2 times slower."""
    rows = list(_rows("models.tsv"))
    names = {row[0] for row in rows}
    for name, file, size, sha256 in rows:
        plain = name.partition("-q")[0]
        best = f"{plain}{_EIGHT_BITS}" if f"{plain}{_EIGHT_BITS}" in names else plain
        yield CatalogueEntry(name, file, int(size), sha256, recommended=name == best)


def _speakers() -> Iterator[CatalogueEntry]:
    for name, file, size, sha256, licence, home, path in _rows("speakers.tsv"):
        yield CatalogueEntry(name, file, int(size), sha256, "speakers", licence, name == VOICES, home, path)


def _rows(table: str) -> Iterator[list[str]]:
    """The cells of each line that is no comment and no heading."""
    for line in (TABLES / table).read_text("utf-8").splitlines():
        if not line.startswith(("#", "name\t")):
            yield line.split("\t")
