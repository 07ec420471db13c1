"""POST /api/transcribe: a recording in one call, answered with the job's id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import Request, Response
from pydantic import ValidationError

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, Tenant, authenticate_writer
from app.api.idempotency import (
    AnsweredBefore,
    IdempotencyKeyHeader,
    IdempotentRoute,
    Named,
    NamedForm,
    turn_of,
)
from app.api.multipart import FormStream, Part
from app.api.validation_texts import validation_text
from app.core.errors import AppError, FileTooLargeError, InvalidInputError
from app.factory import Container
from app.models import Job
from app.schemas.jobs import JobOptionsIn, TranscribeAccepted
from app.services.jobs.service import JobOptions

router = ApiRouter(prefix="/api", tags=["jobs"], route_class=IdempotentRoute)

_FORM_OVERHEAD = 64 * 1024

_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "language": {"type": "string", "description": "Nothing: that of the workspace."},
                    "mode": {"type": "string", "enum": ["mono", "dialogue"]},
                    "url": {
                        "type": "string",
                        "description": "In place of file: a recording, or a page with one.",
                    },
                    "playlist": {"type": "boolean", "default": False},
                    "vad": {"type": "string", "enum": ["auto", "off"], "default": "auto"},
                    "translate": {"type": "boolean", "default": False},
                    "vocabulary": {"type": "string", "description": "Names and terms, separated by commas."},
                    "prompt": {"type": "string"},
                    "speakers": {"type": "integer", "minimum": 1, "maximum": 32},
                    "max_speakers": {"type": "integer", "minimum": 1, "maximum": 32},
                    "fresh": {"type": "boolean", "default": False},
                    "engine": {"type": "string"},
                    "model": {"type": "string"},
                },
            }
        }
    },
}


# The body is not declared as a parameter: the framework would read all of it before asking who is calling.
@router.post(
    "/transcribe",
    status_code=202,
    response_model=TranscribeAccepted,
    max_body_size=1 << 62,  # the limit is MAX_FILE_BYTES, counted as the bytes come in
    openapi_extra={"requestBody": _BODY, "security": [{"OAuth2PasswordBearer": []}]},
)
async def transcribe(
    request: Request, container: ContainerDep, idempotency_key: IdempotencyKeyHeader = None
) -> Any:
    """Authenticate, stream the recording to the store, queue its transcription."""
    tenant = await authenticate_writer(container, request)
    limit = container.settings.storage.max_file_bytes
    if int(request.headers.get("content-length") or 0) > limit + _FORM_OVERHEAD:
        raise FileTooLargeError(f"The recording is larger than the limit of {limit} bytes.", field="file")
    form, named = FormStream(request, lists=("vocabulary",)), NamedForm(request, idempotency_key)
    part = await form.file()
    if part is None and form.fields.get("url"):
        return await _from_link(container, tenant, form.fields, named)
    if part is None:
        raise InvalidInputError("There is no part named file with a recording in it.", field="file")
    _options(form.fields)  # what stands before the file is refused before the file is read
    file = await container.files.store_stream(
        workspace_id=tenant.workspace_id,
        user_id=tenant.user_id,
        filename=part.filename or "",
        content_type=_content_type(part),
        chunks=named.watch(form.chunks()),
    )
    try:
        if await form.file() is not None:  # fields may stand behind the file
            raise InvalidInputError(
                "Send one recording a call: there is a second file in the form.", field="file"
            )
        create = partial(container.jobs.create, file_id=file.id, options=_options(form.fields))
        return await _accept(container, tenant, create, named.whole(form.fields, part.filename or ""))
    except (AppError, AnsweredBefore):
        async with container.database.tenant(tenant.workspace_id) as session:
            await container.files.delete_if_unused(session, file.id)
        raise


async def _from_link(
    container: Container, tenant: Tenant, fields: dict[str, str], named: NamedForm
) -> Response:
    asked = {name: value for name, value in fields.items() if name not in ("url", "playlist")}
    options, playlist = _options(asked), fields.get("playlist", "").lower() in ("1", "true", "yes")
    create = partial(container.jobs.create, options=options, url=fields["url"], playlist=playlist)
    return await _accept(container, tenant, create, named.whole(fields))


async def _accept(
    container: Container, tenant: Tenant, create: Callable[..., Awaitable[Job]], named: Named
) -> Response:
    """The job and, where the request names itself, the answer to it: in one transaction."""
    async with turn_of(container, tenant, named) as once:
        async with container.database.tenant(tenant.workspace_id) as session:
            job = await create(session, user_id=tenant.user_id)
            accepted = TranscribeAccepted(job_id=job.id, status=job.status, filename=job.filename)
            answer = Response(accepted.model_dump_json(), 202, media_type="application/json")
            await once.keep(session, answer.status_code, bytes(answer.body))
        return answer


def _content_type(part: Part) -> str | None:
    return None if part.content_type == "application/octet-stream" else part.content_type


def _options(fields: dict[str, str]) -> JobOptions:
    given: dict[str, Any] = {name: value for name, value in fields.items() if value}
    if "vocabulary" in given:
        given["vocabulary"] = [term for term in given["vocabulary"].split(",") if term.strip()]
    try:
        return JobOptions(**JobOptionsIn(**given).model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(validation_text(first), field=name) from error
