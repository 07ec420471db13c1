"""What crashes or fools whisper.cpp when it is called carelessly: each ends in a typed error, and the pool goes on."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.asr.engines import cpu, registry
from app.asr.engines.base import Samples
from app.asr.host.pool import EnginePool
from app.asr.selection import ENGINE_MISSING, availability
from app.asr.types import EngineSpec, Window, WindowOptions
from app.core.errors import JobError
from tests.fixtures.tone_model import sequence, tones
from tests.unit.asr.test_pool import nothing, submit, text

ENGLISH = WindowOptions(language="en")
WHOLE = Window(0, 0, 30_000)


def _cut(at: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * at)]


def _dimensions(data: bytes) -> bytes:
    values = list(struct.unpack("<12i", data[:48]))
    values[3], values[7] = values[7] * 2, values[3] // 2
    return struct.pack("<12i", *values) + data[48:]


def _vocabulary(size: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:4] + struct.pack("<i", size) + data[8:]


def _without_tensors(data: bytes) -> bytes:
    at = 48 + 8 + 4 * 80 * 201
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        at += 4 + struct.unpack_from("<I", data, at)[0]
    return data[:at]


MODELS: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda data: np.random.default_rng(0).bytes(len(data) // 8),
    "empty": lambda _: b"",
    "half of it": _cut(0.5),
    "cut in the last tensor": _cut(0.999),
    "dimensions flipped": _dimensions,
    "header cut in the vocabulary": lambda data: data[: 48 + 8 + 4 * 80 * 201 + 20],
    "no vocabulary": _vocabulary(0),
    "absurd vocabulary": _vocabulary(2_000_000_000),
    "no tensors": _without_tensors,
}


@pytest.mark.parametrize("name", MODELS)
async def test_row_8_broken_models(
    name: str, pool: EnginePool, tone_spec: EngineSpec, tmp_path: Path
) -> None:
    assert tone_spec.model_path is not None
    path = tmp_path / "model.bin"
    path.write_bytes(MODELS[name](Path(tone_spec.model_path).read_bytes()))
    with pytest.raises(JobError) as caught:
        await submit(pool, EngineSpec("whisper_cpp", "broken", str(path)))
    assert (caught.value.code, caught.value.retryable) == ("model_invalid", False)
    assert text(await submit(pool, tone_spec)) == sequence(30)


@pytest.mark.parametrize("name", ["base", "/nowhere/ggml-base.bin"])
async def test_a_path_that_is_none_never_downloads(name: str, pool: EnginePool) -> None:
    with pytest.raises(JobError) as caught:
        await submit(pool, EngineSpec("whisper_cpp", "base", name))
    assert caught.value.code == "model_missing"


def _engine(spec: EngineSpec) -> Callable[[Samples, WindowOptions], list[str]]:
    engine = registry.create(spec.engine)
    engine.load(spec)

    def hear(samples: Samples, options: WindowOptions = ENGLISH) -> list[str]:
        return [segment.text for segment in engine.transcribe(samples, WHOLE, options).segments]

    return hear


@pytest.fixture(scope="module")
def hear(tone_spec: EngineSpec) -> Callable[..., list[str]]:
    return _engine(tone_spec)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_row_7_samples_that_are_no_numbers(value: float, hear: Callable[..., list[str]]) -> None:
    samples = tones(sequence(30))
    samples[1000] = value
    with pytest.raises(JobError) as caught:
        hear(samples)
    assert caught.value.code == "audio_invalid"


def test_samples_of_two_dimensions(hear: Callable[..., list[str]]) -> None:
    with pytest.raises(JobError) as caught:
        hear(np.zeros((2, 16_000), np.float32))
    assert caught.value.code == "audio_invalid"


def test_a_view_with_strides_is_read_right(hear: Callable[..., list[str]]) -> None:
    stereo = np.full((30 * 16_000, 2), np.nan, np.float32)
    stereo[:, 0] = tones(sequence(30))
    assert hear(stereo[:, 0]) == sequence(30)


def test_samples_far_out_of_range_are_clipped(hear: Callable[..., list[str]]) -> None:
    samples = tones(sequence(30))
    samples[5000] = 1e30
    assert hear(samples) == hear(np.clip(samples, -1, 1))


@pytest.mark.parametrize("count", [0, 1, 201, 1599, 15_999])
def test_row_7_very_short_sounds_are_no_crash(count: int, hear: Callable[..., list[str]]) -> None:
    assert isinstance(hear(np.zeros(count, np.float32)), list)


def test_a_language_that_whisper_does_not_know(hear: Callable[..., list[str]]) -> None:
    with pytest.raises(JobError, match="does not know the language xx"):
        hear(tones(sequence(30)), WindowOptions(language="xx"))


async def test_a_language_that_fails_leaves_the_process_in_use(
    pool: EnginePool, tone_spec: EngineSpec
) -> None:
    pcm = (tones(sequence(30)) * 32_767).astype("<i2").tobytes()
    with pytest.raises(JobError):
        await pool.submit("a", tone_spec, WindowOptions(language="xx"), WHOLE, pcm, nothing)
    assert text(await submit(pool, tone_spec)) == sequence(30)


def test_old_processors_are_told_by_name() -> None:
    old = ["fpu", "sse", "sse2", "ssse3", "sse4_1", "sse4_2", "avx"]
    assert cpu.missing_features(old, "x86_64") == cpu.NEEDED
    assert cpu.missing_features([*old, *cpu.NEEDED], "x86_64") == ()
    assert cpu.missing_features([], "aarch64") == ()


def test_an_old_processor_is_refused_before_native_code_runs(
    tone_spec: EngineSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "_flags", lambda: ["sse2", "avx"])
    monkeypatch.setattr(cpu.platform, "machine", lambda: "x86_64")
    with pytest.raises(JobError, match="lacks avx2, fma, f16c, bmi2"):
        registry.create("whisper_cpp").load(tone_spec)


def test_an_old_processor_passes_jobs_on_to_the_next_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu, "_flags", lambda: ["sse2", "avx"])
    monkeypatch.setattr(cpu.platform, "machine", lambda: "x86_64")
    found = availability("whisper_cpp", "base-q8_0", tmp_path)
    assert (found.spec, found.code) == (None, ENGINE_MISSING)
    assert "lacks avx2" in (found.reason or "")
