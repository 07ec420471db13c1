"""Models made once, a decoder, and a pool that is closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.limits import MediaLimits
from app.asr.pipeline import transcribe
from app.asr.sinks import MemorySink
from app.asr.types import EngineSpec, TranscribeOptions, Transcription, Vad
from tests.fixtures import tone_model
from tests.fixtures.speech import synthetic_model

OFF = TranscribeOptions(vad=Vad.OFF)


@pytest.fixture(scope="session")
def tone_spec(tmp_path_factory: pytest.TempPathFactory) -> EngineSpec:
    path = tone_model.build(tmp_path_factory.mktemp("tone") / "tone.bin")
    return EngineSpec("whisper_cpp", "tone", str(path))


@pytest.fixture(scope="session")
def speech_spec(tmp_path_factory: pytest.TempPathFactory) -> EngineSpec:
    path = synthetic_model(tmp_path_factory.mktemp("synthetic"))
    return EngineSpec("whisper_cpp", "synthetic-en", str(path))


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(nice=0)


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[EnginePool]:
    """Two processes, kept for all tests that do not harm them."""
    pool = EnginePool(2, nice=0)
    yield pool
    await pool.close()


Run = Callable[..., "object"]


@pytest.fixture
def run(decoder: Decoder, pool: EnginePool) -> Run:
    async def run(
        path: Path,
        spec: EngineSpec,
        options: TranscribeOptions = OFF,
        *,
        sink: MemorySink | None = None,
        job: str = "job",
        limits: MediaLimits | None = None,
    ) -> Transcription:
        return await transcribe(
            path,
            spec,
            options,
            job=job,
            decoder=decoder,
            pool=pool,
            sink=sink or MemorySink(),
            limits=limits or MediaLimits(),
            max_in_flight=3,
        )

    return run
