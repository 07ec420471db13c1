"""An upload on the local disk: parts land in one file at their places, so that completing is a rename.

A folder holds `data` (the object in the making), `lock`, and an empty file `<number>-<size>-<etag>` for every part
that is in `data` and synced. A part is received in a temporary file first: a cut connection never touches `data`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.core.errors import ConflictError
from app.storage.base import PlannedPart, StoredPart
from app.storage.disk import TempFile, locked, move_in, open_existing, remove_tree, sync_folder
from app.storage.parts import cancelled, check_parts, closed

_MARK = re.compile(r"(\d{5})-(\d+)-([0-9a-f]{32})")


class Staging:
    """One upload's folder. Every change happens under its lock."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self._root = root
        self._data = folder / "data"
        self._lock = folder / "lock"

    def create(self) -> None:
        self.folder.mkdir(mode=0o700)
        for path in (self._lock, self._data):
            path.touch(mode=0o600)
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    @property
    def is_open(self) -> bool:
        return self._data.exists()

    def parts(self) -> list[StoredPart]:
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except FileNotFoundError:
            return []
        found = (_MARK.fullmatch(name) for name in names)
        return [StoredPart(int(match[1]), int(match[2]), match[3]) for match in found if match]

    def put(self, part: PlannedPart, temp: TempFile, etag: str) -> None:
        """Copy a received part to its place. The same part again is no work; another one takes its place."""
        try:
            with locked(self._lock):
                self._put(part, temp, etag)
        except FileNotFoundError as error:
            raise closed() from error

    def _put(self, part: PlannedPart, temp: TempFile, etag: str) -> None:
        mark = self.folder / f"{part.number:05}-{part.size}-{etag}"
        if mark.exists():
            return
        data = open_existing(self._data, os.O_RDWR)
        try:
            old = list(self.folder.glob(f"{part.number:05}-*"))
            if old:  # gone for certain before the first byte of `data` changes
                for path in old:
                    path.unlink()
                sync_folder(self.folder)
            temp.copy_to(data, size=part.size, offset=part.offset)
            os.fsync(data)
        finally:
            os.close(data)
        mark.touch(mode=0o600)
        sync_folder(self.folder)

    def seal(
        self, target: Path, parts: Sequence[PlannedPart], etags: Mapping[int, str] | None = None
    ) -> None:
        """Move the whole object to `target`. Raises `ConflictError` naming what is missing.

        A crash before the rename leaves the upload open, one after it leaves the object in place: the next call
        finds either.
        """
        try:
            with locked(self._lock):
                if self._data.exists():
                    self._verify(parts, etags)
                    move_in(self._data, target, self._root)
        except FileNotFoundError:
            if not target.exists():
                raise cancelled() from None
        if not target.exists():
            raise cancelled()
        remove_tree(self.folder)

    def _verify(self, parts: Sequence[PlannedPart], etags: Mapping[int, str] | None) -> None:
        check_parts(parts, self.parts(), etags)
        size, declared = self._data.stat().st_size, sum(part.size for part in parts)
        if size != declared:
            raise ConflictError(f"The upload holds {size} bytes instead of {declared}.")

    def drop(self) -> None:
        """Remove everything; a part that is on its way finds the door closed."""
        try:
            with locked(self._lock):
                self._data.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        remove_tree(self.folder)
