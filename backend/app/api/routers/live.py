"""Live updates: server-sent events for one job and for a whole list, and the same over a WebSocket."""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import Response, WebSocket
from fastapi.responses import StreamingResponse

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentTenant, Tenant, authenticate_socket, still_welcome
from app.api.sse import EVENT_STREAM, SLOW_SECONDS, EventStream, LastEventId, sequence
from app.api.streams import NEVER_GIVEN, follow_job, follow_workspace, job_is_over, known_sequence
from app.core.errors import AppError, NotFoundError, RateLimitedError
from app.factory import Container

router = ApiRouter(tags=["live"])


# No transaction is held while a stream is open: each look at the rows is one of its own.
@router.get("/api/jobs/events", response_class=StreamingResponse, responses=EVENT_STREAM)
async def list_events(
    container: ContainerDep, tenant: CurrentTenant, last_event_id: LastEventId = None
) -> EventStream:
    """Everything that happens to the workspace's jobs, in one stream."""
    after = sequence(last_event_id)
    if after is None and last_event_id:
        after = NEVER_GIVEN
    return EventStream(follow_workspace(container, tenant, after))


@router.get(
    "/api/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses={**EVENT_STREAM, 204: {"description": "The job is over and this client has seen it all."}},
)
async def job_events(
    job_id: UUID, container: ContainerDep, tenant: CurrentTenant, last_event_id: LastEventId = None
) -> Response:
    """One job's events, from where it stands now or after `Last-Event-ID`, to its end."""
    after = sequence(last_event_id)
    if after is not None and await job_is_over(container, tenant, job_id, after):
        return Response(status_code=204)
    after = await known_sequence(container, tenant, job_id, after)
    _note_watching(container, tenant, job_id)
    return EventStream(follow_job(container, tenant, job_id, after))


def _note_watching(container: Container, tenant: Tenant, job_id: UUID) -> None:
    container.access_log.note("transcript.watched", workspace_id=tenant.workspace_id, target=("job", job_id))


@router.websocket("/ws/jobs/{job_id}")
async def job_socket(websocket: WebSocket, job_id: UUID, container: ContainerDep) -> None:
    """The same events as `{type, seq, data}`; `?since=` replays, and so does `Last-Event-ID`. Bearer header or a one-time
    `?ticket=`.

    Refused with 403 without a valid pass or from a foreign origin; closed with 4404 where there is no such job,
    1000 at the end, 4403 within 5 s where the caller may not look any more, 4429 where the account holds too many
    sockets, 1008 where it sends too many messages, 1012 when the server stops.
    """
    try:
        tenant = await authenticate_socket(container, websocket)
    except AppError:
        await websocket.close()  # before accept: the handshake is answered with 403
        return
    await websocket.accept()
    try:
        with container.sockets.hold(tenant.user_id):
            await job_is_over(container, tenant, job_id, -1)
            await _serve(websocket, container, tenant, job_id)
    except NotFoundError as error:
        await websocket.close(code=4404, reason=error.message)
    except RateLimitedError as error:
        await websocket.close(code=4429, reason=error.message)


async def _serve(websocket: WebSocket, container: Container, tenant: Tenant, job_id: UUID) -> None:
    """Until all is sent, or the other side has gone or says too much."""
    sending = asyncio.create_task(_send_all(websocket, container, tenant, job_id))
    gone = asyncio.create_task(_until_gone(websocket, container, tenant))
    _, pending = await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(sending, gone, return_exceptions=True)


async def _send_all(websocket: WebSocket, container: Container, tenant: Tenant, job_id: UUID) -> None:
    asked = websocket.query_params.get("since") or websocket.headers.get("last-event-id")
    since = await known_sequence(container, tenant, job_id, sequence(asked))
    _note_watching(container, tenant, job_id)
    async for message in follow_job(container, tenant, job_id, since):
        if message.type is not None:  # heartbeats are the protocol's own pings here
            try:
                async with asyncio.timeout(SLOW_SECONDS):
                    await websocket.send_json(
                        {"type": message.type, "seq": message.seq, "data": message.data}
                    )
            except TimeoutError:
                return  # it takes nothing: whoever is there comes back with the number it has seen
    if container.bus.closing:
        await websocket.close(code=1012)
    else:
        await websocket.close(code=1000 if await still_welcome(container, tenant) else 4403)


async def _until_gone(websocket: WebSocket, container: Container, tenant: Tenant) -> None:
    """What a reader sends means nothing, so little of it is read."""
    said = [("socket_messages", str(tenant.user_id))]
    while (await websocket.receive())["type"] != "websocket.disconnect":
        verdict = await container.rates.count(said) if container.rates is not None else None
        if verdict is not None and not verdict.allowed:
            await websocket.close(code=1008, reason="Too many messages.")
            return
