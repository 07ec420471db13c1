"""Hears a stop signal before the server acts on it, so that streams can end and work can be handed back in time."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_stop_signal(action: Callable[[], None]) -> Callable[[], None]:
    """Call `action` in the running loop on SIGINT or SIGTERM, then whatever handled them before.

    Gives back a function that undoes it. Outside of the main thread (tests) there is nothing to hear.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(action)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, handle)

    def undo() -> None:
        for number, previous in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, previous)

    return undo
