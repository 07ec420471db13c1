"""`transcribe run FILE|FOLDER|PATTERN|URL...`: the same pipeline as the server's, without a server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.asr.types import Mode, Vad
from app.cli import wishes
from app.cli.batch import open_batch
from app.cli.inputs import Found, Link, Source, find_sources
from app.cli.outcomes import INPUT
from app.cli.progress import make_reporter
from app.cli.settings import load_settings
from app.cli.wishes import Wish
from app.core.config import Settings

INTERRUPTED = 130


def run(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Recordings, folders of recordings, patterns as 'talks/**/*.mp3', links.", show_default=False
        ),
    ],
    formats: wishes.Formats = None,
    output: wishes.Output = None,
    jobs: wishes.Jobs = 0,
    engine: wishes.Engine = "auto",
    model: wishes.Model = None,
    language: wishes.Language = "auto",
    mode: wishes.ModeOption = Mode.MONO,
    vad: wishes.VadOption = Vad.AUTO,
    translate: wishes.Translate = False,
    vocabulary: wishes.Vocabulary = "",
    prompt: wishes.Prompt = "",
    speakers: wishes.Speakers = None,
    max_speakers: wishes.MaxSpeakers = None,
    recursive: wishes.Recursive = False,
    playlist: Annotated[
        bool, typer.Option("--playlist", help="All of a link's playlist, up to URL_PLAYLIST_LIMIT of it.")
    ] = False,
    overwrite: wishes.Overwrite = False,
    as_json: wishes.AsJson = False,
) -> None:
    """Transcribe files, and recordings from the web, on this machine.

    One file or link in one format goes to standard output, unless -o names a folder; anything more becomes texts beside
    the recordings, those of links in the working folder by their titles, or in -o. Interrupted, the same command goes
    on where it was: finished files are not made again, and a long one continues after the parts that are done. Progress
    goes to standard error.

    Exit codes: 0 done, 2 usage, 3 a file or link cannot be transcribed, 4 an engine failed, 130 interrupted.
    """
    settings = load_settings()
    wanted = wishes.formats_of(formats)
    options = wishes.options_of(language, mode, vad, translate, vocabulary, prompt, speakers, max_speakers)
    name = wishes.check_engine(engine, model, options)
    found = find_sources(files, recursive=recursive)
    alone = found.sources in ([Source(Path(files[0]))], [Link(files[0])]) and not playlist
    to_stdout = alone and len(files) == 1 and output is None and len(wanted) == 1
    if output is not None:
        wishes.make_folder(output)
    wish = Wish(options, name, model, wanted, output, overwrite, jobs, as_json)
    try:
        limit = settings.links.url_playlist_limit if playlist else None
        code = asyncio.run(_run(settings, wish, found, to_stdout=to_stdout and not as_json, limit=limit))
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command goes on from here.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


async def _run(settings: Settings, wish: Wish, found: Found, *, to_stdout: bool, limit: int | None) -> int:
    """Answers the exit code. `limit`: of a playlist, where the whole of it is wanted."""
    reporter = make_reporter(sys.stderr)
    async with open_batch(settings, wish, reporter, to_stdout=to_stdout) as (batch, jobs):
        for word in found.nothing:
            reporter.say(f"{word}: there is no recording here.")
            batch.worst = INPUT
        sources = found.sources if limit is None else await batch.expand(found.sources, limit)
        await batch.run(sources, jobs)
        if not to_stdout:
            batch.sum_up()
        return batch.worst
