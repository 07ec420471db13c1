"""Calls to providers as rows: written before a call, with the provider's id as soon as it is known, and counted against
the limits of the day."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.asr.remote.calls import Call
from app.asr.remote.errors import clean
from app.asr.selection import CLOUD_FORBIDDEN, CLOUD_SPEND_LIMIT
from app.asr.types import EngineSpec
from app.core.clock import new_id, utcnow
from app.core.errors import JobError
from app.core.logging import get_logger
from app.db.session import Database, SystemSession
from app.models import CallState, ExternalCall, Workspace
from app.services.jobs import claims
from app.services.jobs.cloud_gate import OPEN, CloudGate, spent_today

log = get_logger(__name__)

_DAY_LOCK = 0x7472_6364  # of Postgres' advisory locks, the one for counting a day's calls
_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, ConnectionError)


class CloudLimitError(JobError):
    """A limit of the day or the workspace's wish stands against one more call. `retryable` where that may change."""


class JobCalls:
    """The calls of one claimed run with one provider (`app.asr.remote.calls.Calls`)."""

    def __init__(
        self, database: Database, gate: CloudGate, claim: claims.Claim, *, run: int, spec: EngineSpec
    ) -> None:
        self._database = database
        self._gate = gate
        self._claim = claim
        self._run = run
        self._spec = spec

    async def begin(self, window: int, audio_ms: int) -> Call:
        """The open call for this window, or a new row; counting and inserting are one transaction that no other
        process can come between. Raises `CloudLimitError`, and `LostClaimError` where another process has the job."""
        cost = self._gate.cost_micros(self._spec.engine, audio_ms)
        async with self._database.system() as session:
            await claims.guarded(session, self._claim, {})
            row = await self._open_row(session, window)
            if row is None or row.upload_url is None:
                await self._check_residence(session)
            if row is None:
                await self._check_limits(session, cost)
                row = ExternalCall(
                    id=new_id(),
                    workspace_id=self._claim.workspace_id,
                    job_id=self._claim.job_id,
                    run=self._run,
                    window=window,
                    engine=self._spec.engine,
                    model=self._spec.model,
                    state=CallState.PLANNED,
                    audio_ms=audio_ms,
                    cost_micros=cost,
                )
                session.add(row)
        return Call(row.id, row.upload_url, row.provider_id)

    async def uploaded(self, call: Call, url: str) -> None:
        call.upload_url = url
        await self._write(call.id, upload_url=url)

    async def submitted(self, call: Call, provider_id: str) -> None:
        call.provider_id = provider_id
        await self._write(call.id, provider_id=provider_id, state=CallState.SUBMITTED, submitted_at=utcnow())

    async def done(self, call: Call, model: str | None) -> None:
        await self._write(call.id, state=CallState.DONE, model=model, finished_at=utcnow())

    async def failed(self, call: Call, message: str) -> None:
        await self._write(call.id, state=CallState.FAILED, error=clean(message), finished_at=utcnow())

    async def _open_row(self, session: SystemSession, window: int) -> ExternalCall | None:
        rows = await session.execute(
            sa.select(ExternalCall)
            .where(
                ExternalCall.job_id == self._claim.job_id,
                ExternalCall.run == self._run,
                ExternalCall.window == window,
                ExternalCall.engine == self._spec.engine,
                ExternalCall.state.in_(OPEN),
            )
            .order_by(ExternalCall.created_at)
            .limit(1)
        )
        return rows.scalar_one_or_none()

    async def _check_residence(self, session: SystemSession) -> None:
        """Before anything of a recording leaves: its workspace may have forbidden that since the job began."""
        workspace = await session.get(Workspace, self._claim.workspace_id)
        if workspace is None or not workspace.allow_cloud:
            raise CloudLimitError(
                CLOUD_FORBIDDEN,
                f"{self._spec.engine}: this workspace keeps its recordings on this server.",
                retryable=True,
            )

    async def _check_limits(self, session: SystemSession, cost: int) -> None:
        if (
            session.get_bind().dialect.name != "sqlite"
        ):  # there, one writer at a time holds the whole database
            await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_DAY_LOCK)))
        if not self._gate.can_ever_afford(cost):
            raise CloudLimitError(
                CLOUD_SPEND_LIMIT,
                f"{self._spec.engine} would cost about {cost / 1_000_000:.2f} dollars for this recording, more than "
                "CLOUD_DAILY_SPEND_USD allows for a whole day.",
            )
        refusal = self._gate.over_limit(await spent_today(session), cost)
        if refusal is not None:
            raise CloudLimitError(
                refusal.code or "", f"{self._spec.engine}: {refusal.reason}.", retryable=True
            )

    async def _write(self, call_id: UUID, **values: Any) -> None:
        """Not under the claim's fence: what happened at the provider is true, whoever has the job now. Goes on where
        the caller is cancelled, and waits while the database is away."""
        await asyncio.shield(asyncio.ensure_future(_write(self._database, call_id, values)))


async def _write(database: Database, call_id: UUID, values: dict[str, Any]) -> None:
    while True:
        try:
            async with database.system() as session:
                await session.execute(
                    sa.update(ExternalCall).where(ExternalCall.id == call_id).values(**values)
                )
            return
        except _AWAY as error:
            log.warning("call_waits_for_database", error=str(error)[:200])
        await asyncio.sleep(0.5)


async def model_used(session: SystemSession, job_id: UUID, run: int) -> str | None:
    """The model that made the text of a finished run."""
    rows = await session.execute(
        sa.select(ExternalCall.model)
        .where(
            ExternalCall.job_id == job_id,
            ExternalCall.run == run,
            ExternalCall.state.in_((CallState.DONE, CallState.CLEANED)),
            ExternalCall.model.is_not(None),
        )
        .order_by(ExternalCall.created_at.desc())
        .limit(1)
    )
    return rows.scalar_one_or_none()
