"""A lock on a file that the operating system lets go when its holder ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyLockedError(Exception):
    """Another process holds the lock; `note` is what it wrote into the file."""

    def __init__(self, path: Path, note: str) -> None:
        super().__init__(f"{path} is locked")
        self.note = note


@contextmanager
def lock_file(path: Path, *, note: str = "") -> Iterator[None]:
    """Hold an exclusive lock on `path`. Raises `AlreadyLockedError` at once where another process holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if not _try_lock(fd):
            raise AlreadyLockedError(path, os.pread(fd, 200, 0).decode("utf-8", "replace").strip())
        os.ftruncate(fd, 0)
        os.write(fd, note.encode())
        yield
    finally:
        os.close(fd)


def hold(path: Path) -> int:
    """Mark a file as in use by this process, until the process ends or closes the descriptor that this answers.

    Any number of processes may hold one file; `is_held` sees them. Raises OSError where the file is not there.
    """
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        import fcntl
    except ImportError:
        return fd  # an open file cannot be removed on systems without advisory locks
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def is_held(path: Path) -> bool:
    """Whether some process holds the file by `hold` or `lock_file`; a file that is not there is held by nobody."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)


def _try_lock(fd: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return True  # no advisory locks here; the database's own locks still hold
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
