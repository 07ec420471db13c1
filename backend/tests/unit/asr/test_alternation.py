"""Jobs of two workspaces in turns on one engine process, a thousand times in the long form: they never mix."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.asr.host.pool import EnginePool
from app.asr.types import EngineSpec, Window, WindowOptions, WindowResult
from tests.fixtures import counting_model
from tests.unit.asr.recordings import pcm

SOUND = pcm(1.2)
JOBS = {
    "harbour": WindowOptions("de", vocabulary=("w11",), prompt="w09"),
    "orchard": WindowOptions("en", translate=True, vocabulary=("w21",)),
    "plain": WindowOptions("fr"),
}


async def listen(pool: EnginePool, spec: EngineSpec, job: str, index: int) -> WindowResult:
    async def start() -> None:
        return

    window = Window(index, index * 30_000, index * 30_000 + 1_200)
    return await pool.submit(job, spec, JOBS[job], window, SOUND, start)


def heard(result: WindowResult, offset_ms: int = 0) -> tuple[object, ...]:
    return result.language, [
        (segment.text, segment.confidence, segment.start_ms - offset_ms, segment.end_ms - offset_ms)
        for segment in result.segments
    ]


@pytest.mark.parametrize("turns", [100, pytest.param(1_000, marks=pytest.mark.long)])
async def test_nothing_of_one_job_in_the_other(turns: int, tmp_path: Path) -> None:
    """The text of the model tells how many tokens of prompt it read, and text of a call before would be more."""
    spec = EngineSpec("whisper_cpp", "counting", str(counting_model.build(tmp_path / "counting.bin")))
    alone = {}
    for job in JOBS:  # each in a process of its own, that has heard nothing else
        fresh = EnginePool(1, nice=0)
        alone[job] = heard(await listen(fresh, spec, job, 0))
        await fresh.close()
    assert len({str(texts) for _, texts in alone.values()}) == len(JOBS)

    pool = EnginePool(1, nice=0)
    try:
        order = [(job, index) for index in range(turns // 2) for job in ("harbour", "orchard")]
        wrong = []
        for first in range(0, len(order), 20):
            group = order[first : first + 20]
            answers = await asyncio.gather(*(listen(pool, spec, job, index) for job, index in group))
            for (job, index), answer in zip(group, answers, strict=True):
                if heard(answer, index * 30_000) != alone[job]:
                    wrong.append((job, index, heard(answer)))
        assert wrong == []
        assert heard(await listen(pool, spec, "plain", 0)) == alone["plain"]
        [process] = pool.stats().processes
        assert process.windows in (turns % 500 + 1, turns + 1)  # it is replaced after some hundred windows
    finally:
        await pool.close()
