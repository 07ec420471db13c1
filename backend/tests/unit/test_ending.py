"""Tasks end, also those to which a cancel was lost."""

from __future__ import annotations

import asyncio

import pytest

from app.core import ending


async def test_a_cancel_that_a_driver_swallowed_is_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_AGAIN_SECONDS", 0.01)
    swallowed = 0

    async def loop() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    async def failing() -> None:
        raise OSError

    task, failed = asyncio.create_task(loop()), asyncio.create_task(failing())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await ending.end(task, failed, None)
    assert (swallowed, task.cancelled()) == (2, True)
