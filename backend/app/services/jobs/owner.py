"""Who holds a lease: host, boot, process and its start, so that a dead one is told from a reused pid."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil

_START_FIELD = (
    22 - 3
)  # of /proc/<pid>/stat, counted from the state, which comes behind the name in parentheses


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


@lru_cache(maxsize=1)
def _pid_space() -> str:
    """Which processes this one can see: containers on one machine share its boot, and may share its name."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """Raises psutil.Error. Clock ticks since the boot where the system tells them: the time of day may be set anew,
    and then a living process would look like another one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[_START_FIELD]  # one that nobody has buried is dead
    except (OSError, IndexError):
        return f"{psutil.Process(pid).create_time():.2f}"


_host_name = ""


def call_this_host(name: str) -> None:
    """NODE_NAME: what leases call this machine; empty for its own name. Once in a process, before any work."""
    global _host_name
    _host_name = name


@dataclass(frozen=True, slots=True)
class Owner:
    """A process on a host, from one boot to the next. Written to `jobs.lease_owner` as text."""

    host: str
    boot_id: str
    space: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Owner:
        host = _host_name or socket.gethostname() or platform.node()
        return cls(host, _boot_id(), _pid_space(), os.getpid(), _start_time(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """None for what another version wrote: its lease decides."""
        parts = text.rsplit("|", 4)
        if len(parts) != 5 or not parts[3].isdecimal():
            return None
        host, boot_id, space, pid, started = parts
        return cls(host, boot_id, space, int(pid), started)

    def __str__(self) -> str:
        return f"{self.host}|{self.boot_id}|{self.space}|{self.pid}|{self.started}"

    def is_certainly_dead(self) -> bool:
        """True only for a process of this host that cannot be running; all others are left to their leases."""
        me = Owner.current()
        if self.host != me.host:
            return False
        if self.boot_id != me.boot_id:
            return True
        if self.space != me.space:
            return False  # another container's process is not ours to see
        try:
            return _start_time(self.pid) != self.started
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False
