"""Counts in Redis. Apart from `app.core.rates`, because the client is slow to load and most servers have no Redis."""

from __future__ import annotations

from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_SECONDS = 1.0  # a request waits no longer for its count


class RedisCounts:
    """Opens no connection before the first request. Errors are `limits.errors.StorageError`."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            retry=Retry(NoBackoff(), 1),  # a connection that an earlier restart of Redis has broken
        )
        storage = RedisStorage(
            "async+redis://localhost:6379",  # not looked at: the pool knows where
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="transcribe:rates",
            connection_pool=self._pool,  # type: ignore[arg-type]  # passed on as it is
        )
        self.limiter = MovingWindowRateLimiter(storage)

    async def close(self) -> None:
        await self._pool.aclose()
