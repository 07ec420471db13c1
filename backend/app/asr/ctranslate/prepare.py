"""Converts the ggml file of a job's engine before its first use, once, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

from app.asr.ctranslate import folder as layout
from app.asr.models import ggml
from app.asr.types import EngineSpec
from app.core.child import frames, spawn
from app.core.errors import JobError
from app.core.locks import AlreadyLockedError, lock_file

MODULE = "app.asr.ctranslate.convert_child"
ENGINE = "faster_whisper"
LIMIT_SECONDS = 900.0  # large-v3 takes about a minute
WAIT_FOR_OTHER_SECONDS = 0.5
_SIZE_FACTOR = 2.2  # int8 over the smallest ggml kind, q4_0, with its tokenizer
_RESERVE_BYTES = 64 << 20


async def prepared(spec: EngineSpec) -> EngineSpec:
    """The spec with a CTranslate2 folder where its engine needs one and has a ggml file; any other as it is.

    Raises JobError `model_invalid` where the file cannot be converted, or the folder beside it not be written.
    """
    if spec.engine != ENGINE or spec.model_path is None or Path(spec.model_path).is_dir():
        return spec
    source = Path(spec.model_path)
    target = await asyncio.to_thread(_target, source)
    if not layout.is_converted(target):
        await _convert(source, target, spec.model or source.stem)
    return replace(spec, model_path=str(target))


def _target(source: Path) -> Path:
    if not source.is_file():
        raise JobError("model_missing", f"The model file {source.name} is gone.")
    return layout.folder_for(source)


async def _convert(source: Path, target: Path, name: str) -> None:
    """Under a lock, so that one process does it and others wait; the folder gets its name when it is whole."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                with lock_file(target.with_name(f"{target.name}.lock"), note=str(os.getpid())):
                    if not layout.is_converted(target):
                        await _convert_locked(source, target, name)
                    return
            except AlreadyLockedError:
                await asyncio.sleep(WAIT_FOR_OTHER_SECONDS)
    except OSError as error:
        reason = error.strerror or str(error)
        raise JobError(
            "model_invalid",
            f"{source.name} could not be converted for faster_whisper: writing to {target.parent} failed ({reason})."
            " Make the folder writable, or set FASTER_WHISPER_MODEL to a converted model.",
        ) from error


async def _convert_locked(source: Path, target: Path, name: str) -> None:
    part = target.with_name(f"{target.name}.part")
    if shutil.disk_usage(target.parent).free < source.stat().st_size * _SIZE_FACTOR + _RESERVE_BYTES:
        raise JobError("model_invalid", f"The disk has no room to convert {source.name} in {target.parent}.")
    try:
        await asyncio.to_thread(_start_anew, part)
        await asyncio.to_thread(ggml.check, source)
        await _run_child(source, part, name)
        await asyncio.to_thread(_finish, source, part, target)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, part, True))


def _start_anew(part: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()


def _finish(source: Path, part: Path, target: Path) -> None:
    layout.seal(part, source)
    layout.check_folder(part)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


async def _run_child(source: Path, part: Path, name: str) -> None:
    process = await spawn.start(MODULE)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        request = {"source": str(source), "folder": str(part), "name": name, "parent": os.getpid()}
        process.stdin.write(frames.pack(request))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        async with asyncio.timeout(LIMIT_SECONDS):
            answer = await frames.read_async(process.stdout)
            if answer is None:
                await process.wait()
    except TimeoutError as error:
        raise JobError("model_invalid", f"Converting {source.name} took too long.", retryable=True) from error
    except frames.BrokenFrameError:
        answer = None
    finally:
        await spawn.kill(process)
    if answer is None:
        ended = spawn.describe_exit(process.returncode)
        raise JobError("model_invalid", f"Converting {source.name} ended with {ended}.", retryable=True)
    if answer[0]["kind"] == "failed":
        raise JobError(answer[0]["code"], answer[0]["message"])
