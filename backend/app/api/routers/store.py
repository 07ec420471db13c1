"""/api/store: the local store's own signed addresses. A bucket serves these itself."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Annotated

from fastapi import Depends, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Send

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep
from app.api.ranges import ByteRange, UnsatisfiableRangeError, select_range
from app.core.errors import AppError, ForbiddenError, NotFoundError
from app.storage.base import PlannedPart
from app.storage.disposition import served_as
from app.storage.local import LocalStore

router = ApiRouter(prefix="/api/store", tags=["store"], include_in_schema=False)


class LengthRequiredError(AppError):
    """A body without a Content-Length."""

    status, code = 411, "length_required"


def _local_store(container: ContainerDep) -> LocalStore:
    if not isinstance(container.store, LocalStore):
        raise NotFoundError
    return container.store


async def _signed(request: Request, store: Annotated[LocalStore, Depends(_local_store)]) -> LocalStore:
    """The store, once the address is found to be ours and still good."""
    store.signer.verify(request.method, request.url.path, dict(request.query_params))
    return store


SignedStore = Annotated[LocalStore, Depends(_signed)]


# The signed length is the limit.
@router.put("/uploads/{upload}/{number}", max_body_size=1 << 62)
async def put_part(upload: str, number: int, request: Request, store: SignedStore) -> Response:
    """One part, of exactly the signed length. Answers its ETag."""
    query = request.query_params
    part = PlannedPart(number, int(query["offset"]), int(query["size"]))
    _require_length(request, part.size)
    try:
        etag = await store.put_part(upload, part, request.stream())
    except ClientDisconnect:
        return Response(status_code=400)
    return Response(headers={"ETag": f'"{etag}"'})


@router.get("/objects/{key:path}")
async def get_object(key: str, request: Request, store: SignedStore) -> Response:
    """The object or a range of it, as a fixed type that no browser executes."""
    info = await store.info(key)
    query, etag = request.query_params, f'"{info.etag}"'
    content_type, disposition = served_as(query["type"], query["name"], download=query["download"] == "1")
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"private, max-age={store.signer.seconds_left(query['expires'])}",
        "Content-Disposition": disposition,
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Type": content_type,
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") in (etag, "*"):
        return Response(status_code=304, headers=headers)
    try:
        part = select_range(
            request.headers.get("range"), request.headers.get("if-range"), size=info.size, etag=etag
        )
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{info.size}"})
    headers["Content-Length"] = str(part.length)
    if part.partial:
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{info.size}"
    status = 206 if part.partial else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return _ObjectResponse(store, key, part, status, headers)


router.head("/objects/{key:path}")(get_object)


class _ObjectResponse(StreamingResponse):
    """Closes the file when the listener leaves, not when the garbage collector comes by."""

    def __init__(
        self, store: LocalStore, key: str, part: ByteRange, status: int, headers: dict[str, str]
    ) -> None:
        self._blocks = store.read(key, part.start, part.length)
        super().__init__(self._blocks, status_code=status, headers=headers)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._blocks):
            await super().stream_response(send)


def _require_length(request: Request, size: int) -> None:
    """Before a byte of the body is read."""
    length = request.headers.get("content-length", "")
    if not length:
        raise LengthRequiredError(f"Send a Content-Length; this address takes exactly {size} bytes.")
    if not re.fullmatch(r"\d{1,18}", length) or int(length) != size:
        raise ForbiddenError(f"This address takes exactly {size} bytes.")
