"""Jobs at providers: which way a recording goes there, what is noted of it, and how long a failure is waited out."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from app.asr.engines.assemblyai import AssemblyAI
from app.asr.engines.openai import OpenAI
from app.asr.host.decoder import Decoder
from app.asr.limits import MediaLimits
from app.asr.pipeline import transcribe
from app.asr.remote.errors import ProviderError
from app.asr.remote.hearer import RemoteHearer
from app.asr.remote.openai_models import retirement_notice
from app.asr.remote.recording import transcribe_recording
from app.asr.types import EngineSpec, TranscribeOptions, Window
from app.core.clock import utcnow
from app.db.session import Database
from app.models import Job, JobWindow
from app.services.jobs import claims, external
from app.services.jobs.checkpoints import JobSink
from app.services.jobs.cloud_cleaner import CloudCleaner
from app.services.jobs.cloud_gate import CloudGate

GIVE_UP_AFTER = timedelta(hours=24)
LIMIT_PAUSE_SECONDS = 900.0
LONGEST_PAUSE_SECONDS = 600.0
LONG_WINDOW_MS = 120_000


class CloudDesk:
    """Sends claimed jobs to providers. `retry_base` are the seconds before a job is tried again the first time."""

    def __init__(
        self,
        database: Database,
        gate: CloudGate,
        openai: OpenAI,
        assemblyai: AssemblyAI,
        *,
        in_flight: int,
        retry_base: float = 10.0,
        today: Callable[[], date] = lambda: utcnow().date(),
    ) -> None:
        self._database = database
        self._gate = gate
        self.openai = openai
        self.assemblyai = assemblyai
        self._in_flight = in_flight
        self.retry_base = retry_base
        self._today = today
        self.cleaner = CloudCleaner(database, assemblyai)

    async def hear(
        self,
        claim: claims.Claim,
        job: Job,
        spec: EngineSpec,
        options: TranscribeOptions,
        source: Path,
        *,
        decoder: Decoder,
        sink: JobSink,
        limits: MediaLimits,
    ) -> None:
        """The recording's text into `sink`, window by window (openai) or whole (assemblyai). Raises `ProviderError`,
        `CloudLimitError` and what the pipeline raises."""
        calls = external.JobCalls(self._database, self._gate, claim, run=job.run, spec=spec)
        if spec.engine == "assemblyai":
            await transcribe_recording(
                source,
                spec,
                options,
                provider=self.assemblyai,
                calls=calls,
                decoder=decoder,
                sink=sink,
                limits=limits,
                planned=await self._planned(job),
            )
            return
        model = self.openai.model(spec.model)
        await transcribe(
            source,
            spec,
            options,
            job=str(claim.job_id),
            decoder=decoder,
            pool=RemoteHearer(self.openai, model, calls),
            sink=sink,
            limits=limits,
            max_in_flight=self._in_flight if model.window_ms <= LONG_WINDOW_MS else min(2, self._in_flight),
            keep_segments=False,
            window_ms=model.window_ms,
        )

    async def note(self, claim: claims.Claim) -> None:
        """Before the transcript is written: the model that made the text, and whether it will be gone soon."""
        async with self._database.system() as session:
            job = await claims.guarded(session, claim, {})
            used = await external.model_used(session, job.id, job.run) or job.model
            warnings = [w for w in job.warnings if w["code"] != "model_retires"]
            notice = None
            if job.engine == "openai":
                notice = retirement_notice(self.openai.model(job.model), self._today())
            if notice is not None:
                warnings.append({"code": notice.code, "message": notice.message})
            await claims.guarded(session, claim, {"model": used, "warnings": warnings})

    def pause(self, job: Job, error: ProviderError) -> float | None:
        """Seconds until a job whose provider failed is tried again; None where that has gone on for a day.

        Such failures are not the recording's: they do not count towards the job's errors.
        """
        if job.started_at is not None and utcnow() - job.started_at > GIVE_UP_AFTER:
            return None
        grown: float = min(self.retry_base * 4 ** min(job.attempt - 1, 8), LONGEST_PAUSE_SECONDS)
        return max(grown * random.uniform(0.8, 1.2), error.wait_seconds or 0.0)  # noqa: S311 (jitter)

    async def close(self) -> None:
        """Ends deleting and the connections."""
        await self.cleaner.stop()
        await self.openai.close()
        await self.assemblyai.close()

    async def _planned(self, job: Job) -> Window | None:
        """The window of the recording, where an earlier run has decoded all of it."""
        if not job.plan_complete:
            return None
        async with self._database.system(read_only=True) as session:
            row = (
                await session.execute(
                    sa.select(JobWindow).where(
                        JobWindow.job_id == job.id, JobWindow.run == job.run, JobWindow.idx == 0
                    )
                )
            ).scalar_one_or_none()
        if row is None:
            return None
        return Window(0, row.start_ms, row.end_ms, tuple((start, end) for start, end in row.speech))
