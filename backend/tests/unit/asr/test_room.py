"""Memory is looked at before a model is loaded: nobody is pushed out, and who cannot fit is told so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from app.asr.host import sizing
from app.asr.host.pool import EnginePool
from app.asr.types import EngineSpec
from app.core.errors import JobError
from tests.unit.asr.test_pool import WORDS, submit, text

GIGABYTE = 1 << 30


async def test_a_model_that_can_never_fit_is_refused_at_once(
    tone_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "usable_memory", lambda: 100 << 20)
    pool = EnginePool(1, nice=0)
    with pytest.raises(JobError, match="smaller model") as caught:
        await submit(pool, tone_spec)
    assert (caught.value.code, caught.value.retryable) == ("memory_low", False)
    assert pool.stats().processes == ()
    await pool.close()


async def test_a_full_machine_is_tried_again_later(
    tone_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "available_memory", lambda: 0)
    pool = EnginePool(1, nice=0, room_seconds=0.1)
    with pytest.raises(JobError, match="not enough free memory") as caught:
        await submit(pool, tone_spec)
    assert (caught.value.code, caught.value.retryable) == ("memory_low", True)
    await pool.close()


async def test_one_process_serves_all_where_there_is_no_room_for_two(
    tone_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = EnginePool(2, nice=0)
    await submit(pool, tone_spec)
    monkeypatch.setattr(sizing, "available_memory", lambda: 0)
    results = await asyncio.gather(*(submit(pool, tone_spec, index=i) for i in range(4)))
    assert [text(result) for result in results] == [WORDS] * 4
    assert len(pool.stats().processes) == 1
    await pool.close()


async def test_an_idle_model_makes_room_for_another(
    tone_spec: EngineSpec, speech_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = EnginePool(2, nice=0)
    await submit(pool, tone_spec)
    [idle] = pool.stats().processes
    monkeypatch.setattr(sizing, "available_memory", lambda: 0 if psutil.pid_exists(idle.pid) else GIGABYTE)
    await submit(pool, speech_spec)
    assert [process.spec for process in pool.stats().processes] == [speech_spec]
    await pool.close()


async def test_row_6_the_child_cannot_grow_without_end(tone_spec: EngineSpec) -> None:
    pool = EnginePool(1)
    await submit(pool, tone_spec)
    process = psutil.Process(pool.stats().processes[0].pid)
    assert process.rlimit(psutil.RLIMIT_DATA)[0] == sizing.limit_bytes(tone_spec)
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.nice() == min(19, psutil.Process().nice() + 10)
    assert Path(f"/proc/{process.pid}/oom_score_adj").read_text().strip() == "500"
    assert process.pid != psutil.Process().pid
    await pool.close()


def test_large_models_get_more_time(tone_spec: EngineSpec, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(3_100_000_000)
    assert sizing.slowness(tone_spec) == 1
    assert 20 < sizing.slowness(replace(tone_spec, model_path=str(large))) < 50


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": "2000", "memory.current": "900", "memory.stat": "anon 600\ninactive_file 300"}, 1400),
        ({"memory.max": "max"}, None),
        (
            {
                "memory/memory.limit_in_bytes": "1000",
                "memory/memory.usage_in_bytes": "700",
                "memory/memory.stat": "cache 5\ntotal_inactive_file 100",
            },
            400,
        ),
    ],
    ids=["version 2", "no limit", "version 1"],
)
def test_the_containers_limit_counts(
    files: dict[str, str], free: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(sizing, "_CGROUP", tmp_path)
    monkeypatch.setattr(sizing, "_CGROUP_V1", tmp_path / "memory")
    if free is None:
        assert sizing.available_memory() > 10_000
    else:
        assert sizing.available_memory() == free
