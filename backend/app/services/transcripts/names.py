"""Names that people give to the speakers of a recording; they outlive further runs of its job."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.core.errors import InvalidStateError, NotFoundError
from app.db.session import TenantSession
from app.models import EventType, Job, Segment, Speaker, Transcript
from app.services.outbox import announce
from app.services.transcripts.speakers import SpeakerView, speaker_list


async def speaker_names(session: TenantSession, job_id: UUID) -> dict[str, str]:
    """The names given so far, by the speaker's id."""
    rows = await session.execute(sa.select(Speaker.label, Speaker.name).where(Speaker.job_id == job_id))
    return {row.label: row.name for row in rows}


async def name_speaker(session: TenantSession, job_id: UUID, speaker: str, name: str) -> SpeakerView:
    """Gives a name, or takes it away again where it is empty.

    Raises `NotFoundError` for a speaker who says nothing in the text, `InvalidStateError` where there is none yet.
    """
    found = await session.execute(sa.select(Job).where(Job.id == job_id).with_for_update())
    job = found.scalar_one_or_none()
    if job is None:
        raise NotFoundError
    if job.transcript_id is None:
        raise InvalidStateError("Speakers can be named once the transcription is completed.")
    rows = await session.execute(
        sa.select(Segment.speaker)
        .where(Segment.transcript_id == job.transcript_id, Segment.speaker.is_not(None))
        .group_by(Segment.speaker)
        .order_by(sa.func.min(Segment.position))
    )
    speakers = list(rows.scalars())
    if speaker not in speakers:
        raise NotFoundError("Nobody in this transcript is called that.")
    await session.execute(sa.delete(Speaker).where(Speaker.job_id == job_id, Speaker.label == speaker))
    await session.execute(  # the stored files say the old name: they are written anew
        sa.update(Transcript)
        .where(Transcript.id == job.transcript_id)
        .values(text_key=None, json_key=None)
        .execution_options(synchronize_session=False)
    )
    if name:
        session.add(Speaker(job_id=job_id, workspace_id=session.workspace_id, label=speaker, name=name))
    announce(
        session,
        job.workspace_id,
        EventType.TRANSCRIPT_UPDATED,
        job_id=job.id,
        transcript_id=job.transcript_id,
        change="speakers",
    )
    await session.flush()
    views = speaker_list(speakers, await speaker_names(session, job_id))
    return next(view for view in views if view["id"] == speaker)
