"""The two wires between processes: Redis pub/sub, and LISTEN/NOTIFY on a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.services.jobs.relay import Wire

CHANNEL = "transcribe_events"
CONNECT_SECONDS = 5.0
MAX_UNREAD = (
    2000  # texts that came in and were not looked at; beyond it the wire is opened anew and all look again
)


class _RedisWire:
    def __init__(self, client: Any, subscription: Any) -> None:
        self._client, self._subscription = client, subscription

    async def send(self, text: str) -> None:
        await self._client.publish(CHANNEL, text)

    async def receive(self) -> str:
        while True:
            message = await self._subscription.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None and message["type"] == "message":
                return str(message["data"])

    async def ping(self) -> None:
        await self._client.ping()
        await self._subscription.ping()


@asynccontextmanager
async def redis_wire(url: str) -> AsyncIterator[Wire]:
    """Raises what redis raises where there is no server."""
    from redis.asyncio import Redis  # only where there is one: a tenth of a second at every start

    client = Redis.from_url(
        url, decode_responses=True, socket_connect_timeout=CONNECT_SECONDS, socket_keepalive=True
    )
    try:
        async with client.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            yield _RedisWire(client, subscription)
    finally:
        await client.aclose()


class _PostgresWire:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._unread: asyncio.Queue[str] = asyncio.Queue(MAX_UNREAD)
        self._broken = asyncio.Event()

    def hear(self, _connection: Any, _pid: int, _channel: str, text: str) -> None:
        try:
            self._unread.put_nowait(text)
        except asyncio.QueueFull:
            self._broken.set()

    def ended(self, _connection: Any) -> None:
        self._broken.set()

    async def send(self, text: str) -> None:
        await self._connection.execute("SELECT pg_notify($1, $2)", CHANNEL, text)

    async def receive(self) -> str:
        text = asyncio.ensure_future(self._unread.get())
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            await asyncio.wait({text, broken}, return_when=asyncio.FIRST_COMPLETED)
            if text.done() and not self._broken.is_set():
                return text.result()
            raise ConnectionError("the connection that listens is gone")
        finally:
            text.cancel()
            broken.cancel()

    async def ping(self) -> None:
        await self._connection.execute("SELECT 1")


@asynccontextmanager
async def postgres_wire(options: dict[str, Any]) -> AsyncIterator[Wire]:
    """`options` go to asyncpg. The connection is outside of the pool, and must not go through a pooler that gives each
    transaction another one. Raises what asyncpg raises where there is no server."""
    import asyncpg

    connection = await asyncpg.connect(**options, timeout=CONNECT_SECONDS)
    wire = _PostgresWire(connection)
    try:
        connection.add_termination_listener(wire.ended)
        await connection.add_listener(CHANNEL, wire.hear)
        yield wire
    finally:
        connection.terminate()
