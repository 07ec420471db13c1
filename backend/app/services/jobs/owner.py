"""Who holds a lease: host, boot, process and its start time, so that a dead one is told from a reused pid."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


def _start_time(pid: int) -> str:
    return f"{psutil.Process(pid).create_time():.2f}"


@dataclass(frozen=True, slots=True)
class Owner:
    """A process on a host, from one boot to the next. Written to `jobs.lease_owner` as text."""

    host: str
    boot_id: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Owner:
        return cls(socket.gethostname() or platform.node(), _boot_id(), os.getpid(), _start_time(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Owner:
        host, boot_id, pid, started = text.rsplit("|", 3)
        return cls(host, boot_id, int(pid), started)

    def __str__(self) -> str:
        return f"{self.host}|{self.boot_id}|{self.pid}|{self.started}"

    def is_certainly_dead(self) -> bool:
        """True only for a process of this host that cannot be running; other hosts are left to their leases."""
        me = Owner.current()
        if self.host != me.host:
            return False
        if self.boot_id != me.boot_id:
            return True
        try:
            return _start_time(self.pid) != self.started
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False
