"""/api/shares/{token}: what whoever holds a link may read, without an account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.api.api_router import ApiRouter
from app.api.base_url import BaseUrl
from app.api.deps import ContainerDep
from app.api.share_answers import FILES, download_answer, events_answer, note_read, result_answer
from app.api.share_deps import SHARE_COOKIE, LinkGrant, ShareCookie
from app.api.sse import EVENT_STREAM, LastEventId
from app.core.caller import current_caller
from app.schemas.files import Peaks
from app.schemas.jobs import DownloadFormat, TranscriptResult
from app.schemas.shares import SharedMedia, SharedPage, ShareUnlock
from app.services.transcripts.share_unlock import UNLOCKED_SECONDS

router = ApiRouter(prefix="/api/shares/{token}", tags=["share_links"])


@router.get("", name="look", response_model=SharedPage)
async def look(token: str, container: ContainerDep, proof: ShareCookie = None) -> Any:
    """What there is behind the link; its title only once it is unlocked. Revoked and expired links are unknown."""
    return await container.share_links.look(token, proof)


@router.post("/unlock", name="unlock", status_code=204)
async def unlock(
    token: str, body: ShareUnlock, container: ContainerDep, request: Request, response: Response
) -> None:
    """Give the password; a cookie of this link holds for twelve hours, or until the password changes."""
    address = current_caller().address
    proof = await container.share_links.unlock(token, body.password, address=address)
    if proof is not None:
        public = container.settings.server.public_url
        response.set_cookie(
            SHARE_COOKIE,
            proof,
            max_age=UNLOCKED_SECONDS,
            path=f"/api/shares/{token}",  # several links can be open at once
            secure=request.url.scheme == "https" or public.startswith("https://"),
            httponly=True,
            samesite="strict",
        )


@router.get(
    "/result", name="result", response_class=JSONResponse, responses={200: {"model": TranscriptResult}}
)
async def result(container: ContainerDep, grant: LinkGrant, partial: bool = False) -> Response:
    """The transcript; with partial=true what is there so far."""
    return await result_answer(container, grant, partial=partial)


@router.get("/media", name="media", response_model=SharedMedia)
async def media(
    container: ContainerDep,
    grant: LinkGrant,
    base_url: BaseUrl,
    download: Annotated[bool, Query(description="To save it; only where downloads are allowed.")] = False,
) -> Any:
    """Where to hear the recording: its sound alone. 409 `media_pending` while that is prepared."""
    found = await container.shared.media(grant, base_url=base_url, download=download)
    note_read(container, grant, "recording.opened")
    return found


@router.get("/peaks", name="peaks", response_class=Response, responses={200: {"model": Peaks}})
async def peaks(container: ContainerDep, grant: LinkGrant) -> Response:
    """The recording's loudness, to draw it."""
    return Response(await container.shared.peaks(grant), media_type="application/json")


@router.get("/download", name="download", response_class=Response, responses=FILES)
async def download(
    container: ContainerDep,
    grant: LinkGrant,
    format: DownloadFormat = DownloadFormat.TXT,  # noqa: A002 (the contract's name)
    partial: bool = False,
) -> Response:
    """The transcript as a file; 403 unless the link allows downloads."""
    return await download_answer(container, grant, format, partial=partial)


@router.get("/events", name="events", response_class=StreamingResponse, responses=EVENT_STREAM)
async def events(container: ContainerDep, grant: LinkGrant, last_event_id: LastEventId = None) -> Response:
    """The job's events, as far as guests may see them. Ends within seconds of a revocation."""
    return await events_answer(container, grant, last_event_id)
