"""/api/shared: transcripts that others have shared with the account that is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.api.api_router import ApiRouter
from app.api.base_url import BaseUrl
from app.api.deps import ContainerDep, CurrentPrincipal
from app.api.share_answers import FILES, download_answer, events_answer, note_read, result_answer
from app.api.share_deps import AccountGrant
from app.api.sse import EVENT_STREAM, LastEventId
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.schemas.files import Peaks
from app.schemas.jobs import DownloadFormat, Speaker, SpeakerName, TranscriptResult
from app.schemas.shares import SharedItems, SharedJob, SharedMedia

router = ApiRouter(prefix="/api/shared", tags=["shared"])


@router.get("", name="list", response_model=SharedItems)
async def list_shared(
    container: ContainerDep,
    principal: CurrentPrincipal,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Any:
    """What was shared with you, newest first."""
    items, following = await container.job_grants.shared_with(
        principal.user_id, limit=limit, cursor=Cursor.decode(cursor)
    )
    columns = ("job_id", "title", "permission", "duration_ms", "status", "created_at")
    return {
        "items": [
            {name: getattr(item, name) for name in columns} | {"workspace": {"name": item.workspace_name}}
            for item in items
        ],
        "next_cursor": following.encode() if following is not None else None,
    }


@router.get("/{job_id}", name="get", response_model=SharedJob)
async def get(container: ContainerDep, grant: AccountGrant) -> Any:
    """One of them, as guests see it."""
    return await container.shared.job(grant)


@router.get(
    "/{job_id}/result",
    name="result",
    response_class=JSONResponse,
    responses={200: {"model": TranscriptResult}},
)
async def result(container: ContainerDep, grant: AccountGrant, partial: bool = False) -> Response:
    """The transcript; with partial=true what is there so far."""
    return await result_answer(container, grant, partial=partial)


@router.get("/{job_id}/media", name="media", response_model=SharedMedia)
async def media(
    container: ContainerDep,
    grant: AccountGrant,
    base_url: BaseUrl,
    download: Annotated[bool, Query(description="To save it.")] = False,
) -> Any:
    """Where to hear the recording: its sound alone. 409 `media_pending` while that is prepared."""
    found = await container.shared.media(grant, base_url=base_url, download=download)
    note_read(container, grant, "recording.opened")
    return found


@router.get("/{job_id}/peaks", name="peaks", response_class=Response, responses={200: {"model": Peaks}})
async def peaks(container: ContainerDep, grant: AccountGrant) -> Response:
    """The recording's loudness, to draw it."""
    return Response(await container.shared.peaks(grant), media_type="application/json")


@router.get("/{job_id}/download", name="download", response_class=Response, responses=FILES)
async def download(
    container: ContainerDep,
    grant: AccountGrant,
    format: DownloadFormat = DownloadFormat.TXT,  # noqa: A002 (the contract's name)
    partial: bool = False,
) -> Response:
    """The transcript as a file."""
    return await download_answer(container, grant, format, partial=partial)


@router.get("/{job_id}/events", name="events", response_class=StreamingResponse, responses=EVENT_STREAM)
async def events(
    container: ContainerDep,
    grant: AccountGrant,
    principal: CurrentPrincipal,
    last_event_id: LastEventId = None,
) -> Response:
    """The job's events, as far as guests may see them. Ends within seconds of a revocation."""
    return await events_answer(container, grant, last_event_id, principal)


@router.patch("/{job_id}/speakers/{speaker}", name="name_speaker", response_model=Speaker)
async def name_a_speaker(
    speaker: str, body: SpeakerName, container: ContainerDep, grant: AccountGrant
) -> Any:
    """Give a speaker a name; 403 where it was shared for reading."""
    return await container.shared.name_speaker(grant, speaker, body.name)
