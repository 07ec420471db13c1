"""What measurements share: a folder that goes with them, models and recordings made once, and servers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from bench import recordings
from bench.cage import Cage
from bench.server import Server
from tests.fixtures import scripted_model, tone_model


class Lab:
    """`quick` asks for shorter recordings and fewer repetitions: for trying, not for the record."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self._servers = 0

    @cached_property
    def scripted(self) -> Path:
        """The one of base dimensions."""
        return self.model("base")

    @cached_property
    def tones(self) -> Path:
        """The model that hears each second of a pure tone as one word."""
        path = self.folder / "tone.bin"
        tone_model.build(path)
        return path

    def model(self, size: scripted_model.Size) -> Path:
        """A Whisper of these dimensions in q8_0 that says a fixed text of about 100 tokens in every window."""
        path = self.folder / f"scripted-{size}-q8_0.bin"
        if not path.exists():
            scripted_model.build(size, path, "q8_0")
        return path

    @cached_property
    def short_phrases(self) -> Path:
        """The one of base dimensions, in phrases of two words: fits windows of any length."""
        path = self.folder / "phrases-base-q8_0.bin"
        scripted_model.build("base", path, "q8_0", each=2)
        return path

    def hiss(self, seconds: int) -> Path:
        """An MP3 of this length for the scripted model."""
        path = self.folder / f"hiss-{seconds}.mp3"
        if not path.exists():
            recordings.write_hiss(path, seconds)
        return path

    def server(self, model: Path, name: str | None = None, cage: Cage | None = None) -> Server:
        """A server on a data folder of its own; on the same one where the name is the same."""
        self._servers += 1
        return Server(self.folder / (name or f"data-{self._servers}"), model, cage)
