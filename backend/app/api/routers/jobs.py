"""/api/jobs: create, list, read, cancel, retry, delete, result, download."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentTenant, TenantRead, TenantWrite
from app.api.disposition import transcript_attachment, transcript_name
from app.api.idempotency import IdempotentRoute, idempotent
from app.api.job_query import JobQuery
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.schemas.history import HistoryPage
from app.schemas.jobs import (
    DownloadFormat,
    GapsRetry,
    Job,
    JobCreate,
    JobPage,
    JobRetry,
    Speaker,
    SpeakerName,
    SpeakersRetry,
    TranscriptResult,
)
from app.services.jobs.history_pages import read_history, read_tries
from app.services.jobs.service import JobOptions
from app.services.jobs.views import job_view
from app.services.transcripts.archive import archived_key
from app.services.transcripts.names import name_speaker
from app.services.transcripts.render import FORMATS
from app.services.transcripts.results import read_result

router = ApiRouter(prefix="/api/jobs", tags=["jobs"], route_class=IdempotentRoute)


@router.post("", status_code=201, response_model=Job, dependencies=[idempotent()])
async def create(
    body: JobCreate, container: ContainerDep, session: TenantWrite, tenant: CurrentTenant
) -> Any:
    """Put a transcription of an uploaded file, or of the recording at a link, into the queue."""
    source = {"file_id", "url", "playlist"}
    options = JobOptions(**body.model_dump(exclude=source))
    asked = body.model_dump(include=source)
    job = await container.jobs.create(session, user_id=tenant.user_id, options=options, **asked)
    return job_view(job)


@router.get("", response_model=JobPage, name="list")
async def list_jobs(
    container: ContainerDep,
    session: TenantRead,
    wanted: JobQuery,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """The workspace's jobs, newest first."""
    jobs, following = await container.jobs.list(session, wanted, limit=limit, cursor=Cursor.decode(cursor))
    return {
        "items": [job_view(job) for job in jobs],
        "next_cursor": following.encode() if following is not None else None,
    }


@router.get("/{job_id}", response_model=Job)
async def get(job_id: UUID, container: ContainerDep, session: TenantRead) -> Any:
    """One job."""
    return job_view(await container.jobs.get(session, job_id))


@router.delete("/{job_id}", status_code=204)
async def delete(job_id: UUID, container: ContainerDep, session: TenantWrite) -> None:
    """The job, its text, and its recording where no other job uses it. A running one stops."""
    file_id = await container.jobs.delete(session, job_id)
    if file_id is not None:
        await container.files.delete_if_unused(session, file_id)


@router.post("/{job_id}/cancel", response_model=Job)
async def cancel(job_id: UUID, container: ContainerDep, session: TenantWrite) -> Any:
    """Stop it. Text that is there already stays readable with partial=true."""
    return job_view(await container.jobs.cancel(session, job_id))


@router.post("/{job_id}/retry", response_model=Job, dependencies=[idempotent()])
async def retry(
    job_id: UUID, container: ContainerDep, session: TenantWrite, body: JobRetry | None = None
) -> Any:
    """Run it again under the same id; with another engine or model where one is named."""
    body = body or JobRetry()
    return job_view(await container.jobs.retry(session, job_id, engine=body.engine, model=body.model))


@router.post("/{job_id}/retry-now", response_model=Job, name="retry_now", dependencies=[idempotent()])
async def retry_now(job_id: UUID, container: ContainerDep, session: TenantWrite) -> Any:
    """Try a job that waits at once, instead of at its `run_after`."""
    return job_view(await container.jobs.retry_now(session, job_id))


@router.post("/{job_id}/gaps/retry", response_model=Job, name="retry_gaps", dependencies=[idempotent()])
async def retry_gaps(
    job_id: UUID, container: ContainerDep, session: TenantWrite, body: GapsRetry | None = None
) -> Any:
    """Listen again, and differently, to speech that has no text; the rest of the text stays."""
    return job_view(await container.repairs.gaps(session, job_id, **(body or GapsRetry()).model_dump()))


@router.post(
    "/{job_id}/speakers/retry", response_model=Job, name="retry_speakers", dependencies=[idempotent()]
)
async def retry_speakers(
    job_id: UUID, container: ContainerDep, session: TenantWrite, body: SpeakersRetry | None = None
) -> Any:
    """Tell the speakers of a dialogue apart again; no word is listened to again."""
    asked = (body or SpeakersRetry()).model_dump()
    return job_view(await container.repairs.speakers(session, job_id, **asked))


@router.patch("/{job_id}/speakers/{speaker}", response_model=Speaker, name="name_speaker")
async def name_a_speaker(job_id: UUID, speaker: str, body: SpeakerName, session: TenantWrite) -> Any:
    """Give a speaker a name, or take it away with an empty one."""
    return await name_speaker(session, job_id, speaker, body.name)


@router.get(
    "/{job_id}/history", response_model=HistoryPage, name="history", response_model_exclude_unset=True
)
async def history(
    job_id: UUID,
    container: ContainerDep,
    session: TenantRead,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """What happened to the job and when, newest first."""
    job = await container.jobs.get(session, job_id)
    entries, following = await read_history(session, job, limit=limit, cursor=Cursor.decode(cursor))
    return {
        "items": entries,
        "next_cursor": following.encode() if following is not None else None,
        "tries": await read_tries(session, job),
    }


# Both are unfolded in a thread and written without another validation: ten hours are 100,000 words.
@router.get("/{job_id}/result", response_class=JSONResponse, responses={200: {"model": TranscriptResult}})
async def result(
    job_id: UUID, container: ContainerDep, session: TenantRead, partial: bool = False
) -> Response:
    """The transcript; with partial=true what is there so far, in any state."""
    job = await container.jobs.get(session, job_id)
    text = await read_result(session, job, partial=partial)
    container.access_log.note("transcript.read", workspace_id=job.workspace_id, target=("job", job_id))
    return await asyncio.to_thread(lambda: JSONResponse(text.view()))


@router.get(
    "/{job_id}/download",
    response_class=Response,
    responses={
        200: {"content": {f.media_type.split(";")[0]: {} for f in FORMATS.values()}},
        307: {"description": "The text is in the bucket, at this short-lived address."},
    },
)
async def download(
    job_id: UUID,
    container: ContainerDep,
    session: TenantRead,
    format: DownloadFormat = DownloadFormat.TXT,  # noqa: A002 (the contract's name)
    partial: bool = False,
) -> Response:
    """The transcript as a file: plain text, SubRip, WebVTT, or JSON; with partial=true what the result has then."""
    job = await container.jobs.get(session, job_id)
    stored = await archived_key(session, job, format) if container.store.serves_itself else None
    text = await read_result(session, job, partial=partial) if stored is None else None
    container.access_log.note(
        "transcript.downloaded", workspace_id=job.workspace_id, target=("job", job_id), format=format
    )
    if stored is not None:
        name, media_type = transcript_name(job.filename, format), FORMATS[format].media_type
        signed = container.store.get_url(stored, base_url="", filename=name, content_type=media_type)
        return RedirectResponse(signed.url, 307, headers={"Cache-Control": "no-store"})
    assert text is not None
    return Response(
        await asyncio.to_thread(text.render, format),
        media_type=FORMATS[format].media_type,
        headers={
            "Content-Disposition": transcript_attachment(job.filename, format),
            "Cache-Control": "private, no-cache",
        },
    )
