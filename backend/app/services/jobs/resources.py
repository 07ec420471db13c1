"""What a job mostly needs, in four words; workers may be had for some of them only."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import sqlalchemy as sa

from app.models import Job, SpeakerState
from app.services.jobs.cloud_gate import PROVIDERS


class Resource(StrEnum):
    """Also the names of the queues in Redis."""

    MEDIA = "media"  # a recording has to be fetched first
    CPU = "cpu"  # speech is heard here
    NET = "net"  # a provider is asked, and waited for
    FAST = "fast"  # nothing is heard: a text that is its own transcript, or one of which every word is there


def resource_of(backend: str) -> sa.ColumnElement[str]:
    """The resource of a row in `jobs`; `backend` is the engine of the settings, for jobs that name none."""
    engine = sa.func.coalesce(Job.requested_engine, backend)
    heard = sa.and_(Job.plan_complete, Job.windows_committed == Job.windows_planned)
    return sa.case(
        (sa.and_(Job.file_id.is_(None), Job.source_url.is_not(None)), Resource.MEDIA.value),
        (
            sa.or_(engine == "stub", sa.and_(heard, Job.speaker_state != SpeakerState.PENDING)),
            Resource.FAST.value,
        ),
        (engine.in_(sorted(PROVIDERS)), Resource.NET.value),
        else_=Resource.CPU.value,
    )


def only_for(backend: str, resources: Collection[Resource]) -> sa.ColumnElement[bool]:
    """The condition of jobs that need one of `resources`."""
    if set(resources) == set(Resource):
        return sa.true()
    return resource_of(backend).in_([str(resource) for resource in resources])
