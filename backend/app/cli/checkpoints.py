"""The windows of one recording that are done, in a file: a long one that was interrupted goes on from there."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.asr.codec import result_from_json, result_to_json, window_from_json, window_to_json
from app.asr.sinks import MemorySink
from app.asr.types import Window, WindowResult
from app.core.locks import AlreadyLockedError, lock_file

KEEP_SECONDS = 30 * 24 * 3600  # a recording that nobody goes on with is forgotten after this time


class FileSink(MemorySink):
    """Checkpoints in memory and, where `file` is given, as JSON lines: a window each, durable when it is committed.

    A window that was given up is not kept: the next run tries it again.
    """

    def __init__(self, file: IO[bytes] | None = None) -> None:
        super().__init__()
        self._file = file
        self.kept = 0  # windows that an earlier run has done
        if file is not None:
            self._load(file)

    async def committed(self, window: Window, result: WindowResult) -> None:
        await super().committed(window, result)
        if self._file is None or result.error is not None:
            return
        line = {"window": window_to_json(window), "result": result_to_json(result)}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())  # a window takes seconds, this a millisecond
        except OSError:  # a full disk costs the way back after an interruption, not the text
            self._file = None

    def _load(self, file: IO[bytes]) -> None:
        """Reads what is whole; a line that was cut by a crash is dropped, so that the next one starts afresh."""
        file.seek(0)
        good = 0
        while line := file.readline():
            try:
                data = json.loads(line)
                window, result = window_from_json(data["window"]), result_from_json(data["result"])
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n"):
                break
            self.windows[window.index], self.results[window.index] = window, result
            good = file.tell()
        file.seek(good)
        file.truncate()
        self.kept = len(self.results)


class Checkpoints:
    """A folder with one file for each recording in work, named by its bytes and the plan of its windows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, sha256: str, fingerprint: str) -> Iterator[IO[bytes] | None]:
        """The file of a recording, removed once the work in the block is done and kept where it is broken off.

        None where another process has it, or the folder cannot be written to: then nothing is kept.
        """
        path = self._folder / f"{sha256[:32]}-{fingerprint}.jsonl"
        with contextlib.ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock_file(path.with_suffix(".lock"), note=str(os.getpid())))
                file = stack.enter_context(path.open("a+b"))
            except (OSError, AlreadyLockedError):
                yield None
                return
            done = False
            try:
                yield file
                done = True
            finally:
                with contextlib.suppress(OSError):
                    file.close()
                    if done or path.stat().st_size == 0:
                        path.unlink()
                        path.with_suffix(".lock").unlink()

    def clean(self) -> None:
        """Remove what has not been gone on with for a month."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if time.time() - path.stat().st_mtime > KEEP_SECONDS:
                    path.unlink()
