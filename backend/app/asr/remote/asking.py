"""One request to a provider, asked again with growing pauses while the failure may pass, through its circuit breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina

from app.asr.remote import errors
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.errors import ProviderError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try. All in seconds but `attempts`.

    A `Retry-After` is kept up to `longest_pause`; where more is asked for, the job is put back instead. Transcripts
    are polled every `poll_first` seconds, growing to `poll_most`.
    """

    attempts: int = 5
    first_pause: float = 1.0
    longest_pause: float = 60.0
    jitter: float = 1.0
    poll_first: float = 3.0
    poll_most: float = 30.0


async def ask(
    engine: str, breaker: CircuitBreaker, patience: Patience, request: Callable[[], Awaitable[T]]
) -> T:
    """The answer of `request`, which raises `ProviderError` and nothing else. Raises the last one."""

    def pause(error: Exception) -> bool | float:
        if not isinstance(error, ProviderError) or not error.retryable or error.code == errors.DOWN:
            return False
        if error.wait_seconds is None:
            return True
        return error.wait_seconds if error.wait_seconds <= patience.longest_pause else False

    async for attempt in stamina.retry_context(
        on=pause,
        attempts=patience.attempts,
        timeout=None,
        wait_initial=patience.first_pause,
        wait_max=patience.longest_pause,
        wait_jitter=patience.jitter,
    ):
        with attempt:
            return await through(engine, breaker, request)
    raise AssertionError("the last attempt answers or raises")


async def through(engine: str, breaker: CircuitBreaker, request: Callable[[], Awaitable[T]]) -> T:
    """`request` once, where the circuit lets it pass; its outcome is told to the breaker."""
    if not breaker.enter():
        raise ProviderError(
            engine,
            errors.DOWN,
            f"{engine} failed several times in a row and is left alone for a while.",
            retryable=True,
            retry_after=breaker.retry_in,
        )
    try:
        answer = await request()
    except ProviderError as error:
        if not error.retryable:
            breaker.succeeded()  # it is there: it said no
        elif error.http_status == 429:
            breaker.left()
        else:
            breaker.failed()
        raise
    except BaseException:
        breaker.left()
        raise
    breaker.succeeded()
    return answer
