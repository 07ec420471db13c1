"""The pool under crashes, hangs, cancellation and unequal jobs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from app.asr.host.pool import EngineCrashed, EngineHung, EnginePool
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from app.core.child import spawn
from app.core.errors import JobError
from tests.fixtures.tone_model import sequence, tones

ENGLISH = WindowOptions(language="en")
WORDS = sequence(30)
PCM = (tones(WORDS) * 32_767).astype("<i2").tobytes()


async def nothing() -> None:
    """An on_start that does not care."""


def submit(
    pool: EnginePool,
    spec: EngineSpec,
    job: str = "a",
    index: int = 0,
    on_start: Callable[[], Awaitable[None]] = nothing,
) -> asyncio.Task[WindowResult]:
    window = Window(index, index * 30_000, (index + 1) * 30_000)
    return asyncio.create_task(pool.submit(job, spec, ENGLISH, window, PCM, on_start))


def text(result: WindowResult) -> list[str]:
    return [segment.text for segment in result.segments]


@pytest.fixture
async def one() -> AsyncIterator[EnginePool]:
    pool = EnginePool(1, nice=0)
    yield pool
    await pool.close()
    assert pool.stats().processes == ()


async def test_row_6_a_crash_costs_one_window(one: EnginePool, tone_spec: EngineSpec) -> None:
    started = asyncio.Event()

    async def on_start() -> None:
        started.set()

    victim = submit(one, tone_spec, "a", 7, on_start)
    other = submit(one, tone_spec, "b")
    await started.wait()
    await asyncio.sleep(0.05)
    [process] = one.stats().processes
    assert process.job == "a"
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed) as caught:
        await victim
    assert (caught.value.code, caught.value.retryable) == ("engine_failed", True)
    assert (caught.value.window, caught.value.how) == (7, "signal SIGKILL")
    assert text(await other) == WORDS
    assert one.stats().processes[0].pid != process.pid


async def test_a_crash_between_windows_costs_nothing(one: EnginePool, tone_spec: EngineSpec) -> None:
    await submit(one, tone_spec)
    os.kill(one.stats().processes[0].pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert text(await submit(one, tone_spec)) == WORDS


async def test_row_6_a_hang_is_stopped(tone_spec: EngineSpec) -> None:
    pool = EnginePool(1, nice=0, window_timeout=0.05)
    task = submit(pool, tone_spec)
    with pytest.raises(EngineHung) as caught:
        await task
    assert (caught.value.code, caught.value.retryable) == ("engine_timeout", True)
    assert pool.stats().processes == ()
    await pool.close()


async def test_a_stopped_process_counts_as_hung(one: EnginePool, tone_spec: EngineSpec) -> None:
    await submit(one, tone_spec)
    os.kill(one.stats().processes[0].pid, signal.SIGSTOP)
    one._window_timeout = 0.5
    with pytest.raises(EngineHung):
        await submit(one, tone_spec)
    one._window_timeout = 60
    assert text(await submit(one, tone_spec)) == WORDS


async def test_a_broken_model_is_told(one: EnginePool, tmp_path: Path) -> None:
    path = tmp_path / "broken.bin"
    path.write_bytes(b"lmgg" + bytes(1000))
    with pytest.raises(JobError) as caught:
        await submit(one, EngineSpec("whisper_cpp", "broken", str(path)))
    assert (caught.value.code, caught.value.retryable) == ("model_invalid", False)


async def test_jobs_take_turns(one: EnginePool, tone_spec: EngineSpec) -> None:
    order: list[str] = []

    def note(job: str) -> Callable[[], Awaitable[None]]:
        async def on_start() -> None:
            order.append(job)

        return on_start

    tasks = [submit(one, tone_spec, "long", i, note("long")) for i in range(3)]
    tasks += [submit(one, tone_spec, "short", i, note("short")) for i in range(2)]
    tasks += [submit(one, tone_spec, "other", 0, note("other"))]
    await asyncio.gather(*tasks)
    assert order == ["long", "short", "other", "long", "short", "long"]


async def test_on_start_fails_before_the_samples_are_handed_over(
    one: EnginePool, tone_spec: EngineSpec
) -> None:
    async def on_start() -> None:
        raise JobError("engine_failed", "the lease is lost")

    with pytest.raises(JobError, match="lease"):
        await submit(one, tone_spec, on_start=on_start)
    [process] = one.stats().processes
    assert process.windows == 0
    assert text(await submit(one, tone_spec)) == WORDS
    assert one.stats().processes[0].pid == process.pid


async def test_cancelled_windows_are_withdrawn_or_killed(one: EnginePool, tone_spec: EngineSpec) -> None:
    await submit(one, tone_spec)
    pid = one.stats().processes[0].pid
    started = asyncio.Event()

    async def on_start() -> None:
        started.set()

    running, waiting, other = (
        submit(one, tone_spec, "a", 0, on_start),
        submit(one, tone_spec, "a", 1),
        submit(one, tone_spec, "b"),
    )
    await started.wait()
    began = time.monotonic()
    waiting.cancel()
    running.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    assert time.monotonic() - began < 1
    assert not psutil.pid_exists(pid)
    assert text(await other) == WORDS


async def test_idle_processes_end_and_come_back(tone_spec: EngineSpec) -> None:
    pool = EnginePool(2, nice=0, idle_seconds=0.3)
    await submit(pool, tone_spec)
    pid = pool.stats().processes[0].pid
    async with asyncio.timeout(5):
        while psutil.pid_exists(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert pool.stats().processes == ()
    assert text(await submit(pool, tone_spec)) == WORDS
    await pool.close()


async def test_processes_are_replaced_after_some_windows(tone_spec: EngineSpec) -> None:
    pool = EnginePool(1, nice=0, recycle_after=2)
    pids = []
    for index in range(3):
        await submit(pool, tone_spec, index=index)
        pids.append(pool.stats().processes[0].pid)
    assert pids[0] == pids[1] != pids[2]
    await pool.close()


async def test_another_model_replaces_the_loaded_one(
    one: EnginePool, tone_spec: EngineSpec, speech_spec: EngineSpec
) -> None:
    await submit(one, tone_spec)
    await submit(one, speech_spec)
    assert one.stats().processes[0].spec == speech_spec
    assert text(await submit(one, tone_spec)) == WORDS


async def test_closing_fails_what_is_open(tone_spec: EngineSpec) -> None:
    pool = EnginePool(1, nice=0)
    await submit(pool, tone_spec)
    pid = pool.stats().processes[0].pid
    tasks = [submit(pool, tone_spec, index=i) for i in range(3)]
    await asyncio.sleep(0.1)
    await pool.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, JobError) and result.retryable for result in results)
    assert not psutil.pid_exists(pid)
    with pytest.raises(JobError):
        await submit(pool, tone_spec)


PARENT = """
import asyncio, sys
from app.asr.host.pool import EnginePool
from app.asr.types import EngineSpec, WindowOptions, Window
async def main():
    pool = EnginePool(2, nice=0)
    async def started(): pass
    spec = EngineSpec("whisper_cpp", "tone", sys.argv[1])
    runs = [pool.submit("a", spec, WindowOptions(language="en"), Window(i, 0, 30000), bytes(960000), started)
            for i in range(40)]
    task = asyncio.gather(*runs)
    while len([p for p in pool.stats().processes if p.job]) < 2: await asyncio.sleep(0.05)
    print(*(p.pid for p in pool.stats().processes), flush=True)
    await task
asyncio.run(main())
"""


def test_row_6_children_die_with_their_parent(tone_spec: EngineSpec) -> None:
    assert tone_spec.model_path is not None
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tone_spec.model_path],
        stdout=subprocess.PIPE,
        text=True,
        env=spawn.child_environment(),
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 3
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
        assert time.monotonic() < deadline, "an engine outlived its parent"
        time.sleep(0.05)
