"""A claimed job goes on to its next stage."""

from __future__ import annotations

from app.asr.types import Stage
from app.db.session import SystemSession
from app.models import HistoryKind, Job
from app.services.history import tell
from app.services.jobs import claims


async def enter_stage(session: SystemSession, claim: claims.Claim, stage: Stage) -> Job:
    """Raises `LostClaimError`."""
    job = await claims.guarded(session, claim, {"stage": stage})
    await tell(session, job, HistoryKind.STAGE, stage=str(stage))
    return job
