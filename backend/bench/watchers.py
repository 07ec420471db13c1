"""5,000 open streams at one server: half of them server-sent events of the list, half WebSockets of one job.

All are of one workspace, so that one event goes to everybody; no model is there, so jobs wait and nothing else runs.
Memory is the server's RSS once all are connected and silent. Delivery counts from the moment the request that makes
the event leaves, to the last reader that has it, all in one client process on the same machine.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from bench.figures import Figure, at_most
from bench.lab import Lab
from bench.server import Server

WATCHERS = 5000
BUDGET_MB = 375  # half of the 600 MB that 10,000 may take, beside a server of 150
BUDGET_SECONDS = 3.0
SPARE_FILES = 300
SETTLE_SECONDS = 20.0  # all have had a heartbeat
CONNECT_AT_ONCE = 50
PATIENCE_SECONDS = 300.0
EVENTS = 5


def measure(lab: Lab) -> Iterator[Figure]:
    """Fewer where the system allows no more open files, which the figure's name then says."""
    count = min(500 if lab.quick else WATCHERS, _raise_open_files(WATCHERS + SPARE_FILES) - SPARE_FILES)
    with lab.server(Path("tiny")) as server:
        yield from asyncio.run(_watch(server, lab, count))


def _raise_open_files(wanted: int) -> int:
    """For this process and the servers that it starts; answers how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


async def _watch(server: Server, lab: Lab, count: int) -> list[Figure]:
    watched = await asyncio.to_thread(server.upload, lab.hiss(30))
    before = psutil.Process(server.pid).memory_info().rss
    began = time.monotonic()
    lists = [_Reader() for _ in range(count // 2)]
    sockets = [_Socket() for _ in range(count - len(lists))]
    await _connect(server, lists, _sse("/api/jobs/events"))
    await _connect(server, sockets, _websocket(f"/ws/jobs/{watched['id']}"))
    connecting = time.monotonic() - began
    busy = server.own_cpu_seconds()
    await asyncio.sleep(SETTLE_SECONDS)
    busy = (server.own_cpu_seconds() - busy) / SETTLE_SECONDS
    after = psutil.Process(server.pid).memory_info().rss
    each = (after - before) / count / 1e3
    name = f"{count:,} watchers"
    detail = f"{each:.0f} kB each; {before / 1e6:.0f} MB without"
    figures = [
        at_most(f"Memory of the server with {name}", after / 1e6, BUDGET_MB, "MB", digits=0, detail=detail)
    ]

    taken = sorted([await _deliver(server, lists, watched) for _ in range(EVENTS)])
    figures.append(
        at_most(
            f"An event of the list to all of {len(lists):,}",
            taken[-1],
            BUDGET_SECONDS,
            "s",
            detail=f"the slowest of {EVENTS}; median {taken[EVENTS // 2]:.2f} s",
        )
    )
    sent = _expect(sockets, b'"status":"cancelled"')
    await asyncio.to_thread(server.call, "POST", f"/api/jobs/{watched['id']}/cancel")
    last = await _all_have_it(sockets) - sent
    figures.append(at_most(f"An event of a job to all of {len(sockets):,}", last, BUDGET_SECONDS, "s"))
    connected = f"{count / connecting:.0f} a second connected; {busy:.0%} of a core while nothing happens"
    figures.append(Figure(name, connected))
    for reader in (*lists, *sockets):
        reader.close()
    return figures


class _Reader(asyncio.Protocol):
    """Notes when it first sees what it is waiting for; keeps nothing else."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.broken = False
        self.lost = False
        self.answer = b""
        self.seen_at: float | None = None
        self._wanted = b""
        self._tail = b""
        self._transport: asyncio.Transport | None = None

    def expect(self, wanted: bytes) -> None:
        self._wanted, self._tail, self.seen_at = wanted, b"", None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.opened.is_set():
            self.answer = data[:60]
            self.broken = not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101"))
            self.opened.set()
        if self._wanted and self.seen_at is None:
            text = self._tail + data
            if self._wanted in text:
                self.seen_at = time.monotonic()
            self._tail = text[-len(self._wanted) :]

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        self.lost = True
        self.broken = self.broken or not self.opened.is_set()
        self.opened.set()

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Socket(_Reader):
    """Answers pings, as browsers do by themselves: the server lets go of who does not."""

    def __init__(self) -> None:
        super().__init__()
        self._frames: bytes | None = None  # None until the handshake is over

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._frames is None:
            _, end, data = data.partition(b"\r\n\r\n")
            if not end:
                return
            self._frames = b""
        self._frames += data
        while (frame := _frame(self._frames)) is not None:
            opcode, payload, self._frames = frame
            if opcode == 9:
                self.send(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)  # a mask of zeros


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode, payload and what follows, of a server's frame (RFC 6455, section 5.2); None where it is not whole."""
    if len(data) < 2:
        return None
    length, begin = data[1], 2
    if length in (126, 127):
        begin = 4 if length == 126 else 10
        length = int.from_bytes(data[2:begin], "big")
    if len(data) < begin + length:
        return None
    return data[0] & 15, data[begin : begin + length], data[begin + length :]


def _sse(path: str) -> Callable[[str], bytes]:
    return lambda bearer: (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {bearer}\r\n\r\n".encode()
    )


def _websocket(path: str) -> Callable[[str], bytes]:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = (
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}"
    )
    return lambda bearer: (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {bearer}\r\n{upgrade}\r\n\r\n".encode()
    )


async def _connect(server: Server, readers: Sequence[_Reader], request: Callable[[str], bytes]) -> None:
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(CONNECT_AT_ONCE)

    async def one(reader: _Reader) -> None:
        async with gate:
            await loop.create_connection(lambda: reader, "127.0.0.1", server.port)
            reader.send(request(server.authorization()["Authorization"]))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await reader.opened.wait()

    await asyncio.gather(*(one(reader) for reader in readers))
    broken = sum(reader.broken for reader in readers)
    if broken:
        answer = next(reader.answer for reader in readers if reader.broken)
        raise RuntimeError(f"{broken} of {len(readers)} watchers were not let in: {answer!r}")


def _expect(readers: Sequence[_Reader], wanted: bytes) -> float:
    for reader in readers:
        reader.expect(wanted)
    return time.monotonic()


async def _deliver(server: Server, readers: Sequence[_Reader], watched: dict[str, object]) -> float:
    """Seconds from a request that puts a job into the list to the last who hears of it."""
    sent = _expect(readers, b'"status":"pending"')
    job = await asyncio.to_thread(server.again, watched)
    last = await _all_have_it(readers)
    await asyncio.to_thread(server.call, "POST", f"/api/jobs/{job['id']}/cancel")
    await asyncio.sleep(2)  # what follows is no part of the next turn
    return last - sent


async def _all_have_it(readers: Sequence[_Reader]) -> float:
    """When the last one had it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while any(reader.seen_at is None for reader in readers):
        if time.monotonic() > until:
            missing = sum(reader.seen_at is None for reader in readers)
            gone = sum(reader.lost for reader in readers)
            raise RuntimeError(f"{missing} of {len(readers)} watchers never heard of it; {gone} are gone")
        await asyncio.sleep(0.01)
    return max(reader.seen_at or 0.0 for reader in readers)
