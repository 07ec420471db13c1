"""Ends tasks for certain."""

from __future__ import annotations

import asyncio

_AGAIN_SECONDS = 5.0  # what a task still has to write when it is cancelled takes less


async def end(*tasks: asyncio.Task[object] | asyncio.Task[None] | None) -> None:
    """Cancel and wait until all are over, whatever they raise.

    Cancelled again every few seconds: a cancel that meets a connection in the moment in which it fails comes out of the
    driver as that failure, and a loop that goes on after failures would never hear of it.
    """
    left = {task for task in tasks if task is not None and not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
