"""The file-system calls under the local store. All of them block: they run in threads."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from app.core.errors import UnavailableError
from app.core.logging import get_logger
from app.storage.base import StorageFullError

log = get_logger(__name__)

BLOCK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def disk_errors() -> Iterator[None]:
    """No room becomes `StorageFullError`, everything else that the disk says `UnavailableError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError from error
        log.error("storage_failed", error=str(error))
        raise UnavailableError("The store cannot read or write its folder.") from error


def sync_folder(folder: Path) -> None:
    """Makes names that were added to, or removed from, `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path, root: Path) -> None:
    """`mkdir -p` whose new names survive a power cut."""
    missing = [path for path in (folder, *folder.parents) if path.is_relative_to(root) and not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)


def move_in(source: Path, target: Path, root: Path) -> None:
    """Rename a finished, synced file to its place, durably."""
    for _ in range(3):
        make_folders(target.parent, root)
        # The folder may be pruned by a delete of the same file's other objects.
        with contextlib.suppress(FileNotFoundError):
            os.replace(source, target)  # noqa: PTH105 (the same call, without a new Path)
            break
    else:
        raise FileNotFoundError(errno.ENOENT, "the folder does not stay", str(target))
    sync_folder(target.parent)


def remove(path: Path) -> bool:
    """Unlink and drop the folder if it is empty now. False if there was nothing."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        path.parent.rmdir()
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            sync_folder(path.parent)
    else:
        sync_folder(path.parent.parent)
    return True


def remove_folder(folder: Path) -> None:
    """A folder of sealed files, and its name durably. Somebody else may remove some of them at the same time."""
    for _ in range(100):
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if folder.exists():
                continue  # one of its files went while we were at it
            return
        sync_folder(folder.parent)
        return


def remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def remove_old(folder: Path, before: float) -> int:
    """Drop what nobody touched since `before` (seconds); answers how many entries went."""
    removed = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime < before:
                remove_tree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                removed += 1
    return removed


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an existing lock file, against threads and other processes alike."""
    descriptor = os.open(path, os.O_RDWR | _FLAGS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def copy_into(source: int, target: int, size: int, offset: int) -> None:
    """`size` bytes from the start of one descriptor to `offset` of the other; inside the kernel where it can."""
    done = 0
    if hasattr(os, "copy_file_range"):
        try:
            while done < size:
                copied = os.copy_file_range(source, target, size - done, done, offset + done)
                if not copied:
                    break
                done += copied
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
                raise
    while done < size:
        block = os.pread(source, min(BLOCK, size - done), done)
        if not block:
            raise OSError(errno.EIO, "a temporary file became shorter")
        view = memoryview(block)
        while view:
            written = os.pwrite(target, view, offset + done)
            done, view = done + written, view[written:]


class TempFile:
    """A file in the making. Its lock keeps a write that a cancelled task left behind in its thread away from a
    descriptor that was closed, and perhaps given to another file, meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{uuid4().hex}.tmp"
        self._lock = threading.Lock()
        self._descriptor: int | None = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | _FLAGS, 0o600)

    def write(self, data: bytes | bytearray) -> None:
        with self._lock:
            if self._descriptor is not None:
                write_all(self._descriptor, data)

    def copy_to(self, target: int, *, size: int, offset: int) -> None:
        with self._lock:
            if self._descriptor is None:
                raise OSError(errno.EBADF, "the temporary file is closed")
            copy_into(self._descriptor, target, size, offset)

    def seal(self, target: Path, root: Path) -> None:
        """Sync and move to `target`."""
        with self._lock:
            if self._descriptor is None:
                raise OSError(errno.EBADF, "the temporary file is closed")
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
            move_in(self.path, target, root)

    def discard(self) -> None:
        """Close and remove, whatever state it is in."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            self.path.unlink(missing_ok=True)


def open_existing(path: Path, flags: int) -> int:
    return os.open(path, flags | _FLAGS)
