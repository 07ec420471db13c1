"""Many files through one engine pool: some at a time, none stopping the others, none made twice."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from app.asr.coverage import is_doubtful
from app.asr.host.decoder import Decoder
from app.asr.host.pool import EnginePool
from app.asr.host.sizing import plan_processes
from app.asr.limits import MediaLimits
from app.cli.inputs import Link, Source
from app.cli.ledger import Entry, Identity
from app.cli.links import LinkFetcher
from app.cli.outcomes import INPUT_CODES, Outcome, failed
from app.cli.progress import Reporter
from app.cli.results import with_labels
from app.cli.targets import Target, Targets
from app.cli.transcription import FileTranscriber, Plan, check_file, sha256_of
from app.cli.wishes import Wish
from app.core.config import Settings
from app.core.errors import AppError
from app.factory.parts import build_fetcher
from app.fetch import Fetcher
from app.services.transcripts.render import FORMATS

MAX_AUTOMATIC_JOBS = 4


class Batch:
    """Files of one wish. `targets` None writes the one text to standard output."""

    def __init__(
        self,
        settings: Settings,
        wish: Wish,
        worker: FileTranscriber,
        links: LinkFetcher,
        reporter: Reporter,
        *,
        to_stdout: bool,
    ) -> None:
        self._wish = wish
        self._links = links
        self._worker = worker
        self._reporter = reporter
        self._max_bytes = settings.storage.max_file_bytes
        self._targets = None if to_stdout else Targets(wish.output, wish.formats, overwrite=wish.overwrite)
        self.counts: Counter[str] = Counter()
        self.worst = 0

    async def prepare(self) -> None:
        """Choose the engine and fetch its model. Raises JobError where no file could be heard now."""
        await self._worker.plan(_Quiet(self._reporter, "engine"))

    async def run(self, sources: Iterable[Source | Link], jobs: int) -> None:
        """All files and links, `jobs` at a time, begun in order."""
        waiting = iter([(one, self.target(one) if isinstance(one, Source) else None) for one in sources])

        async def work() -> None:
            for source, target in waiting:
                self.tell(await self.one(source, target))

        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(work())

    async def expand(self, sources: Iterable[Source | Link], limit: int) -> list[Source | Link]:
        """Playlists as what they hold, at most `limit` of each. One that cannot be listed is told and left out."""
        expanded: dict[Source | Link, None] = {}
        for source in sources:
            if isinstance(source, Source):
                expanded.setdefault(source)
                continue
            try:
                entries = await self._links.expand(source, limit=limit)
            except (AppError, OSError) as error:
                self.tell(failed(source.url, error))
                continue
            self._reporter.say(f"{source.url}: {len(entries)} recordings")
            expanded.update(dict.fromkeys(entries))
        return list(expanded)

    def target(self, source: Source) -> Target | None:
        """The names of a recording's texts, given before the work so that they do not depend on who ends first."""
        return self._targets.of(source) if self._targets is not None else None

    async def one(self, source: Source | Link, target: Target | None) -> Outcome:
        """One file or link; what is wrong with it is its outcome, never an exception."""
        try:
            if isinstance(source, Link):
                return await self._bring(source)
            return await self._transcribe(source.path, target)
        except Exception as error:
            return failed(source.url if isinstance(source, Link) else source.path, error)
        finally:
            if self._targets is not None and target is not None:
                self._targets.forget(target)

    def tell(self, outcome: Outcome) -> None:
        """Say what became of a file, and count it."""
        self.counts[outcome.status] += 1
        self.worst = max(self.worst, outcome.code)
        name = outcome.name
        for warning in outcome.head.get("warnings", []):
            self._reporter.say(f"{name}: {warning['code']}: {warning['message']}")
        if outcome.doubts:
            self._reporter.say(f"{name}: doubtful at {outcome.places}")
        for text in outcome.texts if outcome.status == "done" else ():
            self._reporter.say(f"{name}: wrote {text}")
        if outcome.error is not None and outcome.status == "failed":
            self._reporter.say(f"{outcome.path}: {outcome.error[1]} [{outcome.error[0]}]")
        if self._wish.as_json:
            print(json.dumps(outcome.to_json(), ensure_ascii=False), flush=True)

    def sum_up(self) -> None:
        """The last line."""
        parts = [
            f"{self.counts[status]} {words}"
            for status, words in (
                ("done", "transcribed"),
                ("unchanged", "done before"),
                ("failed", "failed"),
            )
            if self.counts[status]
        ]
        self._reporter.say(", ".join(parts) + "." if parts else "There was nothing to do.")
        if self._wish.as_json:
            counts = {status: self.counts[status] for status in ("done", "unchanged", "failed")}
            print(json.dumps({"summary": counts, "exit_code": self.worst}), flush=True)

    async def _transcribe(self, path: Path, target: Target | None) -> Outcome:
        twice = check_file(path, self._max_bytes)
        identity = Identity.of(path)
        entry = target.made_before() if target is not None else None
        quiet = _Quiet(self._reporter, path.name)
        plan = await self._worker.plan(quiet)
        if twice:
            same = entry is not None and entry.identity.looks_like(identity)
            sha256 = entry.identity.sha256 if same and entry is not None else ""
            identity = replace(identity, sha256=sha256 or await asyncio.to_thread(sha256_of, path))
        formats = self._wish.formats
        if target is not None and not self._wish.overwrite and target.is_done(plan.key, formats, identity):
            return Outcome(path, "unchanged", texts=tuple(map(target.path, formats)))
        if not self._wish.retry_failed and entry is not None and _failed_so(entry, plan.key, identity):
            return Outcome(path, "unchanged", error=entry.error)
        try:
            return await self._hear(path, plan, identity, target)
        except AppError as error:
            if target is not None and error.code in INPUT_CODES:
                target.failed(plan.key, identity, (error.code, error.message))
            raise

    async def _bring(self, link: Link) -> Outcome:
        """A link: its texts are called by its title, so they get their names once it is fetched. What an earlier run
        has made of it is not fetched again."""
        plan = await self._worker.plan(_Quiet(self._reporter, link.url))
        known = self._targets.known_link(link.url) if self._targets is not None else None
        entry = known.made_before() if known is not None else None
        formats = self._wish.formats
        made = known is not None and entry is not None and known.is_done(plan.key, formats, entry.identity)
        if made and known is not None and not self._wish.overwrite:
            return Outcome(link.url, "unchanged", texts=tuple(map(known.path, formats)))
        async with self._links.fetched(link, self._reporter) as path:
            sha256 = await asyncio.to_thread(sha256_of, path)
            identity = replace(Identity.of(path), sha256=sha256)
            target = self._targets.of_link(link.url, path.stem) if self._targets is not None else None
            try:
                outcome = await self._hear(path, plan, identity, target)
            finally:
                if self._targets is not None and target is not None:
                    self._targets.forget(target)
        return replace(outcome, path=link.url)

    async def _hear(self, path: Path, plan: Plan, identity: Identity, target: Target | None) -> Outcome:
        with self._reporter.file(path.name) as progress:
            result = await self._worker.transcribe(path, plan, identity.sha256 or None, progress)
        named = with_labels(result)
        texts = {
            name: FORMATS[name].render(result if name == "json" else named) for name in self._wish.formats
        }
        head = {key: value for key, value in result.items() if key not in ("text", "segments", "job_id")}
        doubts = tuple(
            (s["start_ms"], tuple(s["flags"])) for s in result["segments"] if is_doubtful(s["flags"])
        )
        if target is None or self._targets is None:
            sys.stdout.write(next(iter(texts.values())))
            sys.stdout.flush()
            return Outcome(path, "done", head=head, doubts=doubts)
        paths = self._targets.before_writing(target).write(texts, plan.key, identity)
        return Outcome(path, "done", texts=tuple(paths), head=head, doubts=doubts)


class _Quiet:
    """Progress of what comes before a file is listened to: only what has to be said."""

    def __init__(self, reporter: Reporter, name: str) -> None:
        self._reporter = reporter
        self._name = name
        self._tenth = 0

    def say(self, message: str) -> None:
        self._reporter.say(f"{self._name}: {message}")

    def downloading(self, done: int, total: int) -> None:
        if total and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            self.say(f"downloading the model, {done / total:.0%}")


@asynccontextmanager
async def open_batch(
    settings: Settings,
    wish: Wish,
    reporter: Reporter,
    *,
    to_stdout: bool = False,
    fetcher: Fetcher | None = None,
) -> AsyncIterator[tuple[Batch, int]]:
    """A batch over a pool of its own, and how many files it should take at a time. `fetcher`: for tests."""
    processes = plan_processes(settings.speech.engine_processes, wish.model or settings.speech.whisper_model)
    pool = EnginePool(
        processes, window_timeout=settings.speech.engine_window_timeout_seconds, idle_seconds=60
    )
    worker = FileTranscriber(
        settings,
        Decoder(),
        pool,
        MediaLimits(max_audio_seconds=settings.storage.max_audio_seconds),
        wish.options,
        engine=wish.engine,
        model=wish.model,
        max_in_flight=processes + 1,
    )
    links = LinkFetcher(
        fetcher or build_fetcher(settings),
        settings.server.data_dir / "fetched",
        enabled=settings.links.url_ingestion != "off",
        max_bytes=settings.storage.max_file_bytes,
        max_audio_seconds=settings.storage.max_audio_seconds,
        parallel=settings.links.url_parallel,
    )
    links.clean()
    try:
        jobs = wish.jobs or min(processes, MAX_AUTOMATIC_JOBS)
        yield Batch(settings, wish, worker, links, reporter, to_stdout=to_stdout), jobs
    finally:
        await pool.close()


def _failed_so(entry: Entry, key: str, identity: Identity) -> bool:
    return entry.error is not None and (entry.key, entry.identity.sha256) == (key, identity.sha256)
