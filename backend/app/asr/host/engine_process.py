"""One engine process as the pool sees it: started, loaded, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass

from app.asr import codec
from app.asr.host import sizing
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.core.child import frames, spawn
from app.core.child.tail import LogTail
from app.core.errors import JobError

MODULE = "app.asr.host.engine_child"


class EngineCrashed(JobError):  # noqa: N818 - the name says what happened
    """The engine's process died while it worked on a window; another try may succeed.

    `how` is "signal SIGSEGV" or the like, `window` the index of the window, None while loading, `log_tail` the last that
    the process wrote to its standard error.
    """

    def __init__(self, how: str, window: int | None, log_tail: str = "") -> None:
        where = "while it loaded the model" if window is None else "on a part of the recording"
        super().__init__("engine_failed", f"The speech engine crashed {where} ({how}).", retryable=True)
        self.how = how
        self.window = window
        self.log_tail = log_tail


class EngineHung(JobError):  # noqa: N818 - as above
    """The engine did not answer in time; `window` as in EngineCrashed."""

    def __init__(self, seconds: float, window: int | None) -> None:
        what = "loading the model" if window is None else "a part of the recording"
        message = f"The speech engine did not finish {what} within {seconds:g} seconds and was stopped."
        super().__init__("engine_timeout", message, retryable=True)
        self.window = window


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """A process of the pool: its id, what it has loaded, how many windows it has done, and whose it works on."""

    pid: int
    spec: EngineSpec | None
    windows: int
    job: str | None


class EngineProcess:
    """A running child. Any error but a JobError of the engine itself leaves it unusable: kill it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stderr is not None
        self._log = LogTail(process.stderr)
        self.spec: EngineSpec | None = None
        self.windows = 0
        self._asked = False

    @classmethod
    async def start(cls, *, nice: int) -> EngineProcess:
        """A new child, nothing loaded yet."""
        self = cls(await spawn.start(MODULE, log=True))
        try:
            await self._send({"kind": "hello", "parent": os.getpid(), "nice": nice})
        except BaseException:
            await self.kill()
            raise
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def idle(self) -> bool:
        """Whether it has answered everything, has its model, and can be asked again."""
        return self.alive and not self._asked and self.spec is not None

    async def load(self, spec: EngineSpec, timeout: float) -> None:
        """Loads the model. Raises JobError, EngineCrashed, EngineHung."""
        message = {
            "kind": "load",
            "spec": codec.spec_to_json(spec),
            "data_bytes": sizing.limit_bytes(spec),
        }
        await self._ask(message, b"", timeout, None)
        self.spec = spec

    async def transcribe(
        self, window: Window, pcm: bytes, options: WindowOptions, timeout: float
    ) -> WindowResult:
        """Hands over the samples (16 kHz mono int16) and waits. Raises JobError, EngineCrashed, EngineHung."""
        message = {
            "kind": "window",
            "window": codec.window_to_json(window),
            "options": codec.window_options_to_json(options),
            "seconds": timeout,
        }
        answer = await self._ask(message, pcm, timeout, window.index)
        self.windows += 1
        return codec.result_from_json(answer["result"])

    async def kill(self) -> None:
        """Ends the child at once."""
        await spawn.kill(self._process)
        await self._log.close()

    async def stop(self) -> None:
        """Lets the idle child leave."""
        await spawn.stop(self._process)
        await self._log.close()

    async def _send(self, message: frames.Json, payload: bytes = b"") -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # a dead child shows when its answer is read
            self._process.stdin.write(frames.pack(message, payload))
            if payload:
                self._process.stdin.write(payload)
            await self._process.stdin.drain()

    async def _ask(
        self, message: frames.Json, payload: bytes, timeout: float, window: int | None
    ) -> frames.Json:
        """Sends and waits for the answer; a process that stops reading hangs as one that does not answer."""
        assert self._process.stdout is not None
        self._asked = True
        try:
            async with asyncio.timeout(timeout):
                await self._send(message, payload)
                frame = await frames.read_async(self._process.stdout)
        except TimeoutError:
            raise EngineHung(timeout, window) from None
        except frames.BrokenFrameError:
            raise EngineCrashed("a broken message", window) from None
        if frame is None:
            how = spawn.describe_exit(await self._process.wait())
            raise EngineCrashed(how, window, await self._log.text())
        self._asked = False
        answer = frame[0]
        if answer["kind"] == "failed":
            raise JobError(answer["code"], answer["message"], retryable=answer["retryable"])
        return answer
