"""Starts, feeds and ends the child processes in which native code runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import app

_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_READ_AHEAD = 1 << 20
_REAP_SECONDS = 5.0


def child_environment() -> dict[str, str]:
    """Nothing secret: where the program is, one thread for every library, and no debugger on a crash."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(app.__file__).parent.parent),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "GGML_NO_BACKTRACE": "1",
    }


async def start(
    module: str,
    *,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
    log: bool = False,
) -> asyncio.subprocess.Process:
    """A new process of this interpreter that runs `module`, in its own group, with pipes for its messages.

    `environment` is added to what every child gets. With `log` its standard error is a pipe that has to be read.

    Not in a session of its own: Linux shares time between sessions first (sched_autogroup), so `nice` would not
    protect the server from it.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-s",
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if log else asyncio.subprocess.DEVNULL,
        cwd=cwd,
        env=child_environment() | (environment or {}),
        process_group=0,
        limit=_READ_AHEAD,
    )


async def kill(process: asyncio.subprocess.Process) -> None:
    """Ends the process and whatever it started, at once, and waits until it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    await _reap(process)


async def stop(process: asyncio.subprocess.Process, grace_seconds: float = 2.0) -> None:
    """Closes the process's input, which ends it when it is idle; kills it after `grace_seconds`."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(grace_seconds):
            await process.wait()
    except TimeoutError:
        await kill(process)
    await _reap(process)


async def _reap(process: asyncio.subprocess.Process) -> None:
    await asyncio.shield(asyncio.create_task(_finish(process)))


async def _finish(process: asyncio.subprocess.Process) -> None:
    """Reads what is left in the pipes, without which `wait` would not return, and closes them."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(_REAP_SECONDS):
            while process.stdout is not None and await process.stdout.read(_READ_AHEAD):
                pass
            await process.wait()
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    if process.stdin is not None:  # a broken pipe that nobody asks about would be a line in the log
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_REAP_SECONDS):
                await process.stdin.wait_closed()


def describe_exit(code: int | None) -> str:
    """How a process ended, in words: "signal SIGSEGV", "code 1"."""
    if code is None:
        return "no answer"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
        return f"signal {-code}"
    return f"code {code}"
