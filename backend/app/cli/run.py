"""`transcribe run FILE...`: the same pipeline as the server's, without a server."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from app.asr import selection
from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.host.sizing import plan_processes
from app.asr.limits import MediaLimits
from app.asr.types import Mode, TranscribeOptions, Vad
from app.cli.progress import Reporter, make_reporter
from app.cli.settings import load_settings
from app.cli.targets import Targets
from app.cli.transcription import FileTranscriber
from app.core.config import Settings
from app.core.errors import AppError, JobError
from app.services.transcripts.render import FORMATS

INPUT, ENGINE, INTERRUPTED = 3, 4, 130

# Codes of docs/api.md that say something about the file; all others are the engine's.
_INPUT_CODES = {
    "unsupported_media",
    "no_audio_stream",
    "media_invalid",
    "audio_invalid",
    "audio_too_short",
    "duration_limit",
    "file_empty",
    "validation_error",
}


def run(
    files: Annotated[list[Path], typer.Argument(help="Audio or video files.", show_default=False)],
    formats: Annotated[
        str | None, typer.Option("-f", "--format", help="txt, srt, vtt, json; several with commas.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the texts, made if it is not there.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, whisper_cpp, pocketsphinx or stub.")] = "auto",
    model: Annotated[str | None, typer.Option(help="Model by name, or the path of a ggml file.")] = None,
    language: Annotated[str, typer.Option(help="Language code, or auto.")] = "auto",
    mode: Annotated[Mode, typer.Option(help="mono, or dialogue: who said what.")] = Mode.MONO,
    vad: Annotated[Vad, typer.Option(help="auto finds speech first; off takes windows of 30 s.")] = Vad.AUTO,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace texts that are there; without it they are kept.")
    ] = False,
) -> None:
    """Transcribe files on this machine.

    One file in one format goes to standard output, unless -o names a folder; anything more becomes files beside
    each other in -o (or here), named after the recordings. Progress goes to standard error.

    Exit codes: 0 done, 2 usage, 3 a file cannot be transcribed, 4 an engine failed, 130 interrupted.
    """
    settings = load_settings()
    wanted = _formats(formats)
    to_stdout = output is None and len(wanted) == 1 and len(files) == 1
    try:
        selection.validate_request(None if engine == "auto" else engine, model, language, own_files=True)
    except AppError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from None
    folder = None if to_stdout else output or Path()
    if folder is not None:
        _make_folder(folder)
    options = TranscribeOptions(language=language, mode=mode, vad=vad)
    try:
        code = asyncio.run(
            _run_all(
                settings,
                files,
                wanted,
                folder,
                overwrite=overwrite,
                engine=None if engine == "auto" else engine,
                model=model,
                options=options,
            )
        )
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


def _make_folder(folder: Path) -> None:
    """Before any work: hours of it must not be lost on a folder that cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        typer.echo(f"-o {folder}: {error.strerror}.", err=True)
        raise typer.Exit(2) from None


def _formats(text: str | None) -> list[str]:
    wanted = [part.strip() for part in (text or "txt").split(",") if part.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise typer.BadParameter(f"choose from {', '.join(FORMATS)}", param_hint="-f")
    return list(dict.fromkeys(wanted))


async def _run_all(
    settings: Settings,
    files: list[Path],
    formats: list[str],
    folder: Path | None,
    *,
    overwrite: bool,
    engine: str | None,
    model: str | None,
    options: TranscribeOptions,
) -> int:
    """All files one after another; answers the exit code. A file that fails does not stop the others."""
    processes = plan_processes(settings.speech.engine_processes, model or settings.speech.whisper_model)
    pool = EnginePool(
        processes,
        window_timeout=settings.speech.engine_window_timeout_seconds,
        idle_seconds=60,
    )
    limits = MediaLimits(max_audio_seconds=settings.storage.max_audio_seconds)
    worker = FileTranscriber(
        settings,
        Decoder(),
        pool,
        limits,
        engine=engine,
        model=model,
        max_in_flight=processes + 1,
    )
    reporter = make_reporter(sys.stderr)
    targets = Targets(folder, overwrite=overwrite) if folder is not None else None
    worst = 0
    try:
        for path in files:
            worst = max(worst, await _run_one(worker, reporter, path, formats, targets, options))
    finally:
        await pool.close()
    return worst


async def _run_one(
    worker: FileTranscriber,
    reporter: Reporter,
    path: Path,
    formats: list[str],
    targets: Targets | None,
    options: TranscribeOptions,
) -> int:
    try:
        with reporter.file(path.name) as progress:
            result = await worker.transcribe(path, options, progress)
        for warning in result["warnings"]:
            reporter.say(f"{path.name}: {warning['code']}: {warning['message']}")
        if targets is None:
            sys.stdout.write(FORMATS[formats[0]].render(result))
            sys.stdout.flush()
            return 0
        for name in formats:
            target = targets.write(path.stem, name, FORMATS[name].render(result))
            reporter.say(f"{path.name}: wrote {target}")
    except OSError as error:
        reporter.say(f"{path}: {error.strerror or error}")
        return INPUT
    except AppError as error:
        reporter.say(f"{path}: {error.message} [{error.code}]")
        return INPUT if error.code in _INPUT_CODES or not isinstance(error, JobError) else ENGINE
    return 0
