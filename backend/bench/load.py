"""An open-loop HTTP client: requests leave by the clock, whether or not earlier ones have been answered.

Latency counts from the moment a request was due, so that a server that stalls is charged for everybody who waited.
Written over bare sockets: a full client would take the CPU whose shortage is being measured.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for, under which name, and how often in relation to the others."""

    name: str
    path: str
    weight: int


@dataclass(slots=True)
class Outcome:
    """Seconds of every answered request by name, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def all_seconds(self) -> list[float]:
        return sorted(value for values in self.seconds.values() for value in values)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Load:
    """Sends GET requests to 127.0.0.1 over connections that are kept and opened as needed."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = "".join(f"{k}: {v}\r\n" for k, v in {"Host": f"127.0.0.1:{port}", **headers}.items())
        self._idle: list[Connection] = []

    async def run(self, requests: Sequence[Request], *, per_second: int, seconds: float) -> Outcome:
        """The mix in random order, the same in every run."""
        outcome = Outcome()
        order = random.Random(0).choices(
            requests, [r.weight for r in requests], k=round(per_second * seconds)
        )
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, request in enumerate(order):
                due = began + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(self._measure(request, due, outcome))
        for _, writer in self._idle:
            writer.close()
        return outcome

    async def _measure(self, request: Request, due: float, outcome: Outcome) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._get(request.path)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            outcome.errors.append(f"{request.name}: {error!r}")
            return
        if status == 200:
            outcome.seconds.setdefault(request.name, []).append(time.perf_counter() - due)
        else:
            outcome.errors.append(f"{request.name}: {status}")

    async def _get(self, path: str) -> int:
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        )
        try:
            writer.write(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return int(head.split(" ", 2)[1])
