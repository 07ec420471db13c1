"""What `transcribe run` and `transcribe watch` are asked for: their common options, checked."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.asr import selection
from app.asr.engines.registry import ENGINES
from app.asr.types import Mode, TranscribeOptions, Vad
from app.core.errors import AppError, InvalidInputError
from app.services.transcripts.render import FORMATS

Formats = Annotated[
    str | None, typer.Option("-f", "--format", help="txt, srt, vtt, json; several with commas.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", help="Folder for the texts, made if it is not there; else beside the recordings."
    ),
]
Jobs = Annotated[
    int,
    typer.Option("--jobs", "-j", min=0, max=64, help="Files at a time, sharing the engine. 0: one a core."),
]
Engine = Annotated[str, typer.Option(help="auto, or an engine of this machine by name.")]
Model = Annotated[str | None, typer.Option(help="Model by name, or the path of a ggml file.")]
Language = Annotated[
    str, typer.Option(help="Code; auto: found out once a file; mixed: found out in each passage.")
]
ModeOption = Annotated[Mode, typer.Option(help="mono, or dialogue: who said what.")]
VadOption = Annotated[Vad, typer.Option(help="auto finds speech first; off takes windows of 30 s.")]
Translate = Annotated[bool, typer.Option("--translate", help="Write English, whatever is spoken.")]
Vocabulary = Annotated[str, typer.Option(help="Names and terms to expect, separated by commas.")]
Prompt = Annotated[str, typer.Option(help="A text in the style and spelling that is wanted.")]
Speakers = Annotated[
    int | None, typer.Option(min=1, max=32, help="How many speak, in dialogue, where it is known.")
]
MaxSpeakers = Annotated[int | None, typer.Option(min=1, max=32, help="How many speak at most, in dialogue.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite/--resume",
        help="Make every text anew and replace what is there; --resume makes only what is missing.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line on standard output, for scripts.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Folders with the folders in them.")]

MAX_TERMS, MAX_PROMPT = 100, 1000  # those of the API


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of every file. `output` None: beside the recording; `jobs` 0: one a core. Without `retry_failed` a
    file that failed is left alone until it, or what is wanted of it, changes."""

    options: TranscribeOptions
    engine: str | None
    model: str | None
    formats: tuple[str, ...]
    output: Path | None
    overwrite: bool
    jobs: int
    as_json: bool
    retry_failed: bool = True


def options_of(
    language: str,
    mode: Mode,
    vad: Vad,
    translate: bool,
    vocabulary: str,
    prompt: str,
    speakers: int | None,
    max_speakers: int | None,
) -> TranscribeOptions:
    """The options of each file, as the API takes them. Exits with 2 and a sentence."""
    terms = tuple(dict.fromkeys(term.strip() for term in vocabulary.split(",") if term.strip()))
    if len(terms) > MAX_TERMS:
        raise typer.BadParameter(f"at most {MAX_TERMS} names and terms", param_hint="--vocabulary")
    if len(prompt) > MAX_PROMPT:
        raise typer.BadParameter(f"at most {MAX_PROMPT} characters", param_hint="--prompt")
    if (speakers or max_speakers) and mode is not Mode.DIALOGUE:
        raise typer.BadParameter("speakers are told apart with --mode dialogue", param_hint="--speakers")
    return TranscribeOptions(language, mode, vad, translate, terms, prompt, speakers, max_speakers)


def check_engine(engine: str, model: str | None, options: TranscribeOptions) -> str | None:
    """The engine's name, None for auto. Exits with 2 where no file could ever be heard this way."""
    name = None if engine == "auto" else engine
    try:
        if name in ENGINES and ENGINES[name].needs_network:
            raise InvalidInputError(
                f"{name} is a provider, which only the server asks: start it with `transcribe serve` and send the "
                "recording there. The command line works on this machine alone."
            )
        selection.validate_request(name, model, options.language, own_files=True, translate=options.translate)
    except AppError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from None
    return name


def formats_of(text: str | None) -> tuple[str, ...]:
    """Names of formats, each once. Exits with 2."""
    wanted = [part.strip() for part in (text or "txt").split(",") if part.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise typer.BadParameter(f"choose from {', '.join(FORMATS)}", param_hint="-f")
    return tuple(dict.fromkeys(wanted))


def make_folder(folder: Path) -> None:
    """Before any work: hours of it must not be lost on a folder that cannot be written to. Exits with 2."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        typer.echo(f"-o {folder}: this is a file, not a folder.", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"-o {folder}: {error.strerror}.", err=True)
        raise typer.Exit(2) from None
