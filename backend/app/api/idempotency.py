"""`Idempotency-Key` at the edge: what a request is, when it is answered from what was kept, and what is kept.

`IdempotentRoute` stands around the endpoint and keeps its answer in the endpoint's own transaction: the framework ends
the sessions of `app.api.deps` after the answer was made and before it leaves.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from app.api.deps import ContainerDep, Tenant, authenticate_tenant
from app.api.json_bodies import JsonRoute
from app.api.write_session import find_write_session
from app.core.errors import ForbiddenError, InvalidInputError
from app.db.session import SystemSession, TenantSession
from app.factory import Container
from app.models.api_keys import Scope
from app.services.identity.idempotency import Kept, Turn

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_LENGTH = 255
_DESCRIPTION = (
    "Names this request, for 24 hours: a repeated one gets the first one's answer and is not done again. "
    f"1 to {MAX_LENGTH} printable ASCII characters; a UUID is a good choice."
)


class AnsweredBefore(Exception):  # noqa: N818 (no error: the way out of an endpoint that need not run)
    """The request was done before; this is what it was answered."""

    def __init__(self, kept: Kept) -> None:
        super().__init__("answered before")
        self.kept = kept

    def response(self) -> Response:
        headers = {REPLAYED: "true", "Cache-Control": "no-store"}
        return Response(self.kept.body, self.kept.status, headers, media_type="application/json")


IdempotencyKeyHeader = Annotated[str | None, Header(description=_DESCRIPTION)]


@dataclass(frozen=True, slots=True)
class Named:
    """What a request says of itself: its key, None where it has none, and the fingerprint of what it asks for."""

    key: str | None
    fingerprint: str


@dataclass(slots=True)
class Once:
    """One request's turn, None where it has no key; `secrets` are fields of the answer that are not kept."""

    container: Container
    turn: Turn | None
    secrets: tuple[str, ...] = ()
    kept: bool = False

    async def keep(self, session: TenantSession | SystemSession, status: int, body: bytes) -> None:
        """The answer, with what was done. Raises `KeyInUseError` where the turn was lost."""
        if self.turn is not None:
            text = _without(body, self.secrets)
            await self.container.idempotency.keep(session, self.turn, status=status, body=text)
            self.kept = True


class IdempotentRoute(JsonRoute):
    """Of routers some of whose endpoints have `idempotent()` among their dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except AnsweredBefore as before:
                return before.response()
            once: Once | None = getattr(request.state, "once", None)
            if once is not None and response.status_code < 300:
                await _keep(request, once, response)
            return response

        return answer


async def _keep(request: Request, once: Once, response: Response) -> None:
    session = find_write_session(request)
    if session is not None:
        await once.keep(session, response.status_code, bytes(response.body))
    elif once.turn is not None:  # the endpoint has committed what it did
        async with once.container.database.tenant(once.turn.workspace_id) as own:
            await once.keep(own, response.status_code, bytes(response.body))


def idempotent(*secrets: str) -> Any:
    """For `dependencies` of an endpoint: takes the turn before it runs, and gives it back where it fails.

    The workspace is the one of the path, of X-Workspace-Id, or the caller's own. `secrets` are fields of the answer
    that are shown once: a repeated answer has null there.
    """

    async def take_turn(
        request: Request, container: ContainerDep, idempotency_key: IdempotencyKeyHeader = None
    ) -> AsyncIterator[None]:
        if idempotency_key is None:
            yield
            return
        tenant = await _tenant(container, request)
        named = Named(
            _checked(request, idempotency_key), _fingerprint(request, _canonical(await request.body()))
        )
        async with turn_of(container, tenant, named, secrets) as once:
            request.state.once = once
            yield

    return Depends(take_turn, scope="function")


@asynccontextmanager
async def turn_of(
    container: Container, tenant: Tenant, named: Named, secrets: tuple[str, ...] = ()
) -> AsyncIterator[Once]:
    """A turn, given back where nothing was kept. Raises `AnsweredBefore`, `KeyInUseError`, `KeyReusedError`."""
    if named.key is None:
        yield Once(container, None)
        return
    begun = await container.idempotency.begin(
        tenant.workspace_id, tenant.user_id, named.key, named.fingerprint
    )
    if isinstance(begun, Kept):
        raise AnsweredBefore(begun)
    once = Once(container, begun, secrets)
    try:
        yield once
    except BaseException:  # a commit may have failed, or only its answer: the row knows
        once.kept = False
        raise
    finally:
        if not once.kept:
            await container.idempotency.give_back(begun)


async def _tenant(container: Container, request: Request) -> Tenant:
    headers = request.headers
    workspace = request.path_params.get("workspace_id") or headers.get("x-workspace-id")
    tenant = await authenticate_tenant(container, headers.get("authorization"), workspace)
    key = tenant.principal.key
    if key is not None and Scope.WRITE not in key.scopes:
        raise ForbiddenError("This API key may only read.")
    return tenant


def _checked(request: Request, key: str) -> str:
    if len(request.headers.getlist(HEADER)) > 1:
        raise InvalidInputError(f"{HEADER}: one request has one key.", field=HEADER)
    if not re.fullmatch(rf"[\x20-\x7e]{{1,{MAX_LENGTH}}}", key) or not key.strip():
        raise InvalidInputError(f"{HEADER}: 1 to {MAX_LENGTH} printable ASCII characters.", field=HEADER)
    return key


class NamedForm:
    """A form with a file: its fingerprint is taken while the file passes by, and its boundary means nothing."""

    def __init__(self, request: Request, key: str | None) -> None:
        self._request = request
        self._key = None if key is None else _checked(request, key)
        self._hash = hashlib.sha256()

    async def watch(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            if self._key is not None:
                self._hash.update(chunk)
            yield chunk

    def whole(self, fields: Mapping[str, str], filename: str = "") -> Named:
        """Once all of it was read."""
        facts = json.dumps([sorted(fields.items()), filename, self._hash.hexdigest()])
        return Named(self._key, _fingerprint(self._request, facts.encode()))


def _fingerprint(request: Request, body: bytes) -> str:
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(head.encode() + body).hexdigest()


def _canonical(body: bytes) -> bytes:
    """JSON without what does not matter in it: blanks and the order of names."""
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def _without(body: bytes, secrets: tuple[str, ...]) -> str:
    if not secrets:
        return body.decode()
    answer = json.loads(body)
    return json.dumps(answer | dict.fromkeys((name for name in secrets if name in answer), None))
