"""`transcribe watch FOLDER`: every recording that comes into a folder becomes text.

The folder is looked at again and again: notices of the operating system do not come from network shares, where such
folders often are.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.asr.types import Mode, Vad
from app.cli import wishes
from app.cli.batch import Batch, open_batch
from app.cli.inputs import Source, recordings_in
from app.cli.ledger import Identity
from app.cli.outcomes import ENGINE
from app.cli.progress import Reporter, make_reporter
from app.cli.run import INTERRUPTED
from app.cli.settings import load_settings
from app.cli.wishes import Wish
from app.core.config import Settings
from app.core.errors import AppError
from app.core.locks import AlreadyLockedError, lock_file


def watch(
    folder: Annotated[
        Path, typer.Argument(help="Folder that recordings come into.", exists=True, file_okay=False)
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
    once: Annotated[bool, typer.Option("--once", help="End when everything that is there is done.")] = False,
    settle: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds that size and time of a file must not change before it is read."),
    ] = 3.0,
    as_json: wishes.AsJson = False,
) -> None:
    """Transcribe what is in a folder and what comes into it, until Ctrl-C.

    A file is read when it has stopped growing. What is done is not done again, also after a restart; a recording that
    cannot be transcribed is left alone until it changes. Hidden and half-copied files are passed over.

    Exit codes: those of `run`; without --once it ends with 130 on Ctrl-C.
    """
    settings = load_settings()
    options = wishes.options_of(language, mode, vad, translate, vocabulary, prompt, speakers, max_speakers)
    name = wishes.check_engine(engine, model, options)
    if output is not None:
        wishes.make_folder(output)
    wanted = wishes.formats_of(formats)
    wish = Wish(options, name, model, wanted, output, False, jobs, as_json, retry_failed=False)
    try:
        with _alone(folder, settings):
            code = asyncio.run(
                _watch(settings, wish, Lookout(folder, settle, recursive=recursive), once=once)
            )
    except KeyboardInterrupt:
        typer.echo("Stopped watching.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


class Lookout:
    """Finds recordings in a folder that have stopped growing and were not given out in this state before.

    Remembers size and time of each file that is there, nothing of those that have gone.
    """

    def __init__(self, folder: Path, settle: float, *, recursive: bool) -> None:
        self.folder = folder
        self.settle = settle
        self._recursive = recursive
        self._given: dict[Path, Identity] = {}
        self._growing: dict[Path, tuple[Identity, float]] = {}

    @property
    def growing(self) -> int:
        """How many files may still be being written."""
        return len(self._growing)

    @property
    def remembered(self) -> int:
        """How many files it knows, in whatever state."""
        return len(self._given) + len(self._growing)

    def look(self, now: float) -> list[Source]:
        """The recordings to transcribe; `now` in seconds of a clock that never goes back."""
        given: dict[Path, Identity] = {}
        growing: dict[Path, tuple[Identity, float]] = {}
        ready = []
        for source in recordings_in(self.folder, recursive=self._recursive):
            path = source.path
            try:
                identity = Identity.of(path)
            except OSError:
                continue  # gone again
            if self._given.get(path) == identity:
                given[path] = identity
                continue
            before, since = self._growing.get(path, (None, now))
            if before != identity or identity.size == 0:
                growing[path] = (identity, now)
            elif now - since < self.settle:
                growing[path] = (identity, since)
            else:
                given[path] = identity
                ready.append(source)
        self._given, self._growing = given, growing
        return ready


async def _watch(settings: Settings, wish: Wish, lookout: Lookout, *, once: bool) -> int:
    """Answers the exit code, where it ends at all."""
    reporter = make_reporter(sys.stderr)
    async with open_batch(settings, wish, reporter) as (batch, jobs):
        try:
            await batch.prepare()
        except AppError as error:
            reporter.say(error.message)
            return ENGINE
        reporter.say(f"Watching {lookout.folder}. Ctrl-C ends it.")
        waiting: asyncio.Queue[Source] = asyncio.Queue(maxsize=2 * jobs)
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(_work(batch, waiting)) for _ in range(jobs)]
            await _feed(lookout, waiting, reporter, once=once)
            await waiting.join()
            for worker in workers:
                worker.cancel()
        batch.sum_up()
        return batch.worst


async def _feed(lookout: Lookout, waiting: asyncio.Queue[Source], reporter: Reporter, *, once: bool) -> None:
    """Looks until there is nothing more to come, with `once` until nothing has come in a look after the first."""
    looks = 0
    while True:
        began = time.monotonic()
        ready = await asyncio.to_thread(lookout.look, began)
        took = time.monotonic() - began  # half a second for ten thousand files
        looks += 1
        for source in ready:
            await waiting.put(source)
        if once and looks > 1 and not ready:
            if lookout.growing:
                reporter.say(
                    f"{lookout.growing} files are empty or still being written; they were left alone."
                )
            return
        await asyncio.sleep(lookout.settle + 0.05 if once else max(1.0, lookout.settle / 2, 10 * took))


async def _work(batch: Batch, waiting: asyncio.Queue[Source]) -> None:
    while True:
        source = await waiting.get()
        batch.tell(await batch.one(source, batch.target(source)))
        waiting.task_done()


@contextmanager
def _alone(folder: Path, settings: Settings) -> Iterator[None]:
    """One watcher a folder. Exits with 2 where there is another one."""
    locks = settings.server.data_dir / "watch"
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    with contextlib.ExitStack() as stack:
        try:
            locks.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock_file(locks / f"{name}.lock", note=str(os.getpid())))
        except AlreadyLockedError as error:
            typer.echo(f"{folder} is being watched by process {error.note or 'unknown'} already.", err=True)
            raise typer.Exit(2) from None
        except OSError as error:
            typer.echo(f"DATA_DIR {settings.server.data_dir} cannot be used: {error.strerror}.", err=True)
            raise typer.Exit(2) from None
        yield
