"""The table of engines: the one place where a name becomes code."""

from __future__ import annotations

import importlib
import platform
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from app.asr.engines.info import EngineInfo
from app.core.errors import JobError

if TYPE_CHECKING:
    from app.asr.engines.base import Engine  # numpy stays out of the server's process

ENGINES: dict[str, EngineInfo] = {
    info.name: info
    for info in (
        EngineInfo(
            name="whisper_cpp",
            module="app.asr.engines.whisper_cpp",
            package="_pywhispercpp",
            needs_model=True,
            languages="any",
            words=True,
            translates=True,
        ),
        EngineInfo(
            name="faster_whisper",
            module="app.asr.engines.faster_whisper",
            package="faster_whisper",
            needs_model=True,
            languages="any",
            words=True,
            translates=True,
            missing="not installed on this machine: `make extras EXTRAS=faster-whisper` brings it",
        ),
        EngineInfo(
            name="mlx",
            module="app.asr.engines.mlx",
            package="mlx_whisper",
            needs_model=True,
            languages="any",
            words=True,
            translates=True,
            system="darwin",
            missing="runs on Apple silicon only, where `make extras EXTRAS=mlx` brings it",
        ),
        EngineInfo(
            name="assemblyai",
            module="app.asr.engines.assemblyai",
            package="assemblyai",
            needs_model=False,
            languages="any",
            words=True,
            speakers=True,
            runs="network",
            max_seconds=36_000,
        ),
        EngineInfo(
            name="openai",
            module="app.asr.engines.openai",
            package="openai",
            needs_model=False,
            languages="any",
            words=True,
            speakers=True,  # these three depend on OPENAI_MODEL: app.asr.remote.openai_models
            translates=True,
            runs="network",
            max_seconds=1_400,
        ),
        EngineInfo(
            name="pocketsphinx",
            module="app.asr.engines.pocketsphinx",
            package="pocketsphinx",
            needs_model=False,
            languages=("en",),
            words=True,
            low_accuracy=True,
        ),
        EngineInfo(
            name="stub",
            module="app.asr.engines.stub",
            package=None,
            needs_model=False,
            languages="any",
            words=False,
            runs="nowhere",
        ),
    )
}


def installed(name: str) -> bool:
    """Whether the engine's package is here. Looks for it without importing it."""
    info = ENGINES.get(name)
    if name == "mlx" and (sys.platform, platform.machine()) != ("darwin", "arm64"):
        return False
    return info is not None and (info.package is None or find_spec(info.package) is not None)


def create(name: str) -> Engine:
    """A new engine, not loaded yet. Imports its libraries: for engine processes and tests.

    Raises JobError `engine_failed` where the name is unknown or a library is missing.
    """
    info = ENGINES.get(name)
    if info is None or not info.in_pool:
        raise JobError("engine_failed", f"There is no engine called {name}.")
    try:
        engine: Engine = importlib.import_module(info.module).create()
    except ImportError as error:
        raise JobError("engine_failed", f"The engine {name} is not installed here ({error}).") from error
    return engine
