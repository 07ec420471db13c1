"""/api/files: announce, send in parts, complete, read, delete."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.api_router import ApiRouter
from app.api.base_url import BaseUrl
from app.api.deps import ContainerDep, TenantRead, TenantWrite, TenantWriter
from app.api.idempotency import IdempotentRoute, idempotent
from app.api.no_store import no_store
from app.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Cursor
from app.schemas.files import (
    CompleteRequest,
    File,
    FileList,
    FileUrl,
    Part,
    Parts,
    PartsRequest,
    Peaks,
    PresignRequest,
    PresignResponse,
)

router = ApiRouter(prefix="/api/files", tags=["files"], route_class=IdempotentRoute)


@router.post("/presign", status_code=201, dependencies=[idempotent()])
async def presign(
    body: PresignRequest,
    container: ContainerDep,
    tenant: TenantWriter,
    base_url: BaseUrl,
) -> PresignResponse:
    """Announce a file of an exact size and learn where its bytes go."""
    opened = await container.uploads.presign(
        tenant.workspace_id, user_id=tenant.user_id, base_url=base_url, **body.model_dump()
    )
    upload, url = opened.upload, opened.url
    return PresignResponse(
        upload_id=upload.id,
        file_id=upload.file_id,
        method=upload.method,
        url=url.url if url else None,
        headers=url.headers if url else {},
        part_size=upload.part_size,
        part_count=upload.part_count,
        expires_at=opened.expires_at,
    )


@router.post("/uploads/{upload_id}/parts")
async def sign_parts(
    upload_id: UUID, body: PartsRequest, container: ContainerDep, session: TenantWrite, base_url: BaseUrl
) -> Parts:
    """Addresses for the parts to send next; ask again when they expire."""
    signed = await container.uploads.sign_parts(session, upload_id, body.part_numbers, base_url=base_url)
    return Parts(parts=[Part(part_number=part.number, url=part.url, size=part.size) for part in signed])


@router.get("/uploads/{upload_id}/parts")
async def list_parts(upload_id: UUID, container: ContainerDep, session: TenantRead) -> Parts:
    """The parts that have arrived, so that an upload resumes."""
    arrived = await container.uploads.list_parts(session, upload_id)
    return Parts(parts=[Part(part_number=part.number, size=part.size, etag=part.etag) for part in arrived])


@router.delete("/uploads/{upload_id}", status_code=204)
async def abort(upload_id: UUID, container: ContainerDep, session: TenantWrite) -> None:
    """Drop an upload and what has arrived of it."""
    await container.uploads.abort(session, upload_id)


@router.post("/complete")
async def complete(body: CompleteRequest, container: ContainerDep, tenant: TenantWriter) -> File:
    """Check sizes and parts and seal the file. May be repeated."""
    etags = (
        {part.part_number: part.etag.strip('"') for part in body.parts} if body.parts is not None else None
    )
    file = await container.uploads.complete(tenant.workspace_id, body.upload_id, etags)
    return File.model_validate(file)


@router.get("", name="list")
async def list_files(
    container: ContainerDep,
    session: TenantRead,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> FileList:
    """The workspace's files, newest first."""
    files, following = await container.files.list(session, limit=limit, cursor=Cursor.decode(cursor))
    return FileList(
        items=[File.model_validate(file) for file in files],
        next_cursor=following.encode() if following else None,
    )


@router.get("/{file_id}")
async def get(file_id: UUID, container: ContainerDep, session: TenantRead) -> File:
    """One file."""
    return File.model_validate(await container.files.get(session, file_id))


@router.get("/{file_id}/url", dependencies=[Depends(no_store)])  # whoever has the address may read
async def url(
    file_id: UUID,
    container: ContainerDep,
    session: TenantRead,
    base_url: BaseUrl,
    original: Annotated[
        bool, Query(description="The bytes as uploaded, even if browsers cannot play them.")
    ] = False,
    download: Annotated[bool, Query(description="Ask the browser to save the file, not to play it.")] = False,
) -> FileUrl:
    """A short-lived address to play or save the file; it takes ranges and needs no token."""
    found = await container.files.url(
        session, file_id, base_url=base_url, original=original, download=download
    )
    container.access_log.note(
        "file.downloaded" if download else "file.played",
        workspace_id=session.workspace_id,
        target=("file", file_id),
    )
    return FileUrl.model_validate(found)


@router.get(
    "/{file_id}/peaks",
    response_class=Response,
    responses={200: {"model": Peaks}, 304: {"description": "Unchanged."}},
)
async def peaks(file_id: UUID, container: ContainerDep, session: TenantRead, request: Request) -> Response:
    """The recording's loudness, to draw it; there once a job has read the file. It never changes."""
    body = await container.files.peaks(session, file_id)
    headers = {"ETag": f'"{file_id}"', "Cache-Control": "private, max-age=31536000, immutable"}
    if request.headers.get("if-none-match") in (headers["ETag"], "*"):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get(
    "/{file_id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}},
)
async def thumbnail(file_id: UUID, container: ContainerDep, session: TenantRead) -> Response:
    """The picture of the page that a recording was fetched from; 404 where it had none."""
    picture, kind = await container.files.thumbnail(session, file_id)
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(picture, media_type=kind, headers=headers)


@router.delete("/{file_id}", status_code=204)
async def delete(file_id: UUID, container: ContainerDep, session: TenantWrite) -> None:
    """Delete a file that no transcription uses."""
    await container.files.delete(session, file_id)
