"""Answers that links and accounts get alike: text, files and streams of one shared job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from app.api.disposition import transcript_attachment
from app.api.share_deps import guest_pass
from app.api.sse import EventStream, sequence
from app.api.streams import Message, follow_shared, job_is_over, known_sequence
from app.factory import Container
from app.schemas.jobs import DownloadFormat
from app.services.identity.sessions import Principal
from app.services.jobs.shared import shown_to_guests
from app.services.transcripts.render import FORMATS
from app.services.transcripts.share_grant import LinkSource, ShareGrant

FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {f.media_type.split(";")[0]: {} for f in FORMATS.values()}}
}


async def result_answer(container: Container, grant: ShareGrant, *, partial: bool) -> Response:
    """The transcript, as its own workspace reads it."""
    _, text = await container.shared.text(grant, partial=partial)
    note_read(container, grant, "transcript.read")
    return await asyncio.to_thread(lambda: JSONResponse(text.view()))


async def download_answer(
    container: Container,
    grant: ShareGrant,
    format: DownloadFormat,  # noqa: A002 (the parameter of the address)
    *,
    partial: bool,
) -> Response:
    """The transcript as a file, where that is offered."""
    grant.require_download()
    title, text = await container.shared.text(grant, partial=partial)
    note_read(container, grant, "transcript.downloaded", format=str(format))
    return Response(
        await asyncio.to_thread(text.render, format),
        media_type=FORMATS[format].media_type,
        headers={"Content-Disposition": transcript_attachment(title, format)},
    )


async def events_answer(
    container: Container, grant: ShareGrant, last_event_id: str | None, principal: Principal | None = None
) -> Response:
    """The job's events without its internals; they end when what opened them does not hold any more."""
    after = sequence(last_event_id)
    if after is not None and await job_is_over(container, grant, grant.job_id, after):
        return Response(status_code=204)
    after = await known_sequence(container, grant, grant.job_id, after)
    note_read(container, grant, "transcript.watched")
    messages = _for_guests(
        follow_shared(container, grant, grant.job_id, after, guest_pass(container, grant, principal))
    )
    return EventStream(messages)


def note_read(container: Container, grant: ShareGrant, action: str, **detail: Any) -> None:
    """Who read what, by which link."""
    if isinstance(grant.source, LinkSource):
        detail["share_link"] = str(grant.source.link_id)
    container.access_log.note(action, workspace_id=grant.workspace_id, target=("job", grant.job_id), **detail)


async def _for_guests(messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for message in messages:
        if message.type == "status" and message.data is not None:
            yield Message(message.type, message.seq, shown_to_guests(message.data))
        else:
            yield message
