"""Which workspace a request means, what its role allows, and how streams and sockets ask."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.datastructures import Headers, QueryParams

from app.api import deps
from app.core.clock import utcnow
from app.core.errors import AppError, ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.security import hash_token
from app.models import MediaFile, Membership, Role, Ticket
from tests.fixtures.app import RunningApp
from tests.fixtures.identity import Person, register

probe = APIRouter(prefix="/probe")


@probe.get("/tenant")
async def read_tenant(tenant: deps.CurrentTenant) -> dict[str, str]:
    return {"workspace_id": str(tenant.workspace_id), "role": tenant.role, "user_id": str(tenant.user_id)}


@probe.get("/files")
async def read_files(session: deps.TenantRead) -> list[str]:
    return list(await session.scalars(sa.select(MediaFile.filename)))


@probe.post("/files")
async def write_file(session: deps.TenantWrite, fail: bool = False) -> None:
    session.add(
        MediaFile(
            workspace_id=session.workspace_id,
            filename="a.wav",
            size=1,
            content_type="audio/wav",
            storage_key=str(uuid4()),
        )
    )
    if fail:
        raise ForbiddenError("Not today.")


@probe.put("/files")
async def write_early(request: Request, container: deps.ContainerDep) -> str:
    return str((await deps.authenticate_writer(container, request)).workspace_id)


@pytest.fixture
def running(running_app: RunningApp) -> RunningApp:
    """The application with endpoints of this test's own, before the pages that answer every other path."""
    routes = running_app.app.router.routes
    count = len(routes)
    running_app.app.include_router(probe)
    routes[:] = routes[count:] + routes[:count]
    return running_app


async def join(running: RunningApp, person: Person, workspace_id: str, role: Role) -> None:
    async with running.container.database.system() as session:
        session.add(Membership(workspace_id=UUID(workspace_id), user_id=UUID(person.id), role=role))


async def leave(running: RunningApp, person: Person, workspace_id: str) -> None:
    async with running.container.database.system() as session:
        await session.execute(
            sa.delete(Membership).where(
                Membership.workspace_id == UUID(workspace_id), Membership.user_id == UUID(person.id)
            )
        )


def in_workspace(person: Person, workspace_id: str) -> dict[str, str]:
    return person.bearer | {"X-Workspace-Id": workspace_id}


async def test_the_own_workspace_is_meant_by_default(running: RunningApp) -> None:
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")
    await join(running, bob, ada.workspace_id, Role.ADMIN)

    plain = await running.client.get("/probe/tenant", headers=bob.bearer)
    named = await running.client.get("/probe/tenant", headers=in_workspace(bob, ada.workspace_id.upper()))

    assert plain.json() == {"workspace_id": bob.workspace_id, "role": "owner", "user_id": bob.id}
    assert named.json() == {"workspace_id": ada.workspace_id, "role": "admin", "user_id": bob.id}
    me = await running.client.get("/api/auth/me", headers=bob.bearer)
    assert [w["id"] for w in me.json()["workspaces"]] == [bob.workspace_id, ada.workspace_id]


async def test_foreign_unknown_and_malformed_workspaces_look_the_same(running: RunningApp) -> None:
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")
    answers = []
    for wanted in (ada.workspace_id, str(uuid4()), bob.id, "", "null", "1; DROP TABLE users", "x" * 2000):
        for method, path in (("GET", "tenant"), ("GET", "files"), ("POST", "files"), ("PUT", "files")):
            answer = await running.client.request(method, f"/probe/{path}", headers=in_workspace(bob, wanted))
            error = answer.json()["error"]
            answers.append((answer.status_code, error["code"], error["message"]))

    assert set(answers) == {(404, "not_found", "There is nothing at this address.")}


async def test_nobody_is_asked_to_sign_in_before_anything_else(running: RunningApp) -> None:
    ada = await register(running.client)
    for method, path in (("GET", "tenant"), ("GET", "files"), ("POST", "files"), ("PUT", "files")):
        answer = await running.client.request(
            method, f"/probe/{path}", headers={"X-Workspace-Id": ada.workspace_id}
        )
        assert answer.status_code == 401


async def test_writes_are_committed_with_the_answer_and_stay_in_their_workspace(running: RunningApp) -> None:
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")

    written = await running.client.post("/probe/files", headers=ada.bearer)
    failed = await running.client.post("/probe/files", params={"fail": True}, headers=ada.bearer)

    assert (written.status_code, failed.status_code) == (200, 403)
    assert (await running.client.get("/probe/files", headers=ada.bearer)).json() == ["a.wav"]
    assert (await running.client.get("/probe/files", headers=bob.bearer)).json() == []


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.OWNER, True), (Role.ADMIN, True), (Role.MEMBER, True), (Role.VIEWER, False)],
)
async def test_viewers_read_and_do_not_write(running: RunningApp, role: Role, allowed: bool) -> None:
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")
    await join(running, bob, ada.workspace_id, role)
    headers = in_workspace(bob, ada.workspace_id)

    read = await running.client.get("/probe/files", headers=headers)
    writes = [
        await running.client.request(method, "/probe/files", headers=headers) for method in ("POST", "PUT")
    ]

    assert read.status_code == 200
    assert {w.status_code for w in writes} == {200 if allowed else 403}


async def test_row_29_who_has_left_is_out_at_the_next_request(running: RunningApp) -> None:
    """Threat row 29."""
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")
    await join(running, bob, ada.workspace_id, Role.MEMBER)
    headers = in_workspace(bob, ada.workspace_id)
    container = running.container
    principal = await deps.authenticate(container, bob.bearer["Authorization"])
    tenant = await deps.resolve_tenant(container, principal, ada.workspace_id)
    assert (await running.client.get("/probe/tenant", headers=headers)).status_code == 200
    assert await deps.still_welcome(container, tenant)

    await leave(running, bob, ada.workspace_id)

    assert (await running.client.get("/probe/tenant", headers=headers)).status_code == 404
    assert not await deps.still_welcome(container, tenant)


async def test_row_29_an_open_stream_is_not_welcome_after_logout(running: RunningApp) -> None:
    ada = await register(running.client)
    container = running.container
    principal = await deps.authenticate(container, ada.bearer["Authorization"])
    tenant = await deps.resolve_tenant(container, principal, None)

    await running.client.post("/api/auth/logout", headers=ada.bearer)

    assert not await deps.still_welcome(container, tenant)


def socket(query: str = "", **headers: str) -> Any:
    """What `authenticate_socket` reads of a WebSocket."""
    given = {"host": "127.0.0.1"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(headers=Headers(given), query_params=QueryParams(query))


async def ticket_for(running: RunningApp, person: Person) -> str:
    answer = await running.client.post("/api/auth/ticket", headers=person.bearer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"ticket", "expires_in"}
    assert answer.json()["expires_in"] == 30
    return str(answer.json()["ticket"])


async def test_row_35_a_ticket_opens_one_socket(running: RunningApp) -> None:
    ada = await register(running.client)
    ticket = await ticket_for(running, ada)

    tenant = await deps.authenticate_socket(running.container, socket(f"ticket={ticket}"))

    assert str(tenant.workspace_id) == ada.workspace_id
    with pytest.raises(UnauthenticatedError):
        await deps.authenticate_socket(running.container, socket(f"ticket={ticket}"))


async def test_row_35_tickets_expire_and_end_with_their_session(running: RunningApp) -> None:
    ada = await register(running.client)
    late, orphan = await ticket_for(running, ada), await ticket_for(running, ada)
    async with running.container.database.system() as session:
        await session.execute(
            sa.update(Ticket)
            .values(expires_at=utcnow() - timedelta(seconds=1))
            .where(Ticket.ticket_hash == hash_token(late))
        )
    await running.client.post("/api/auth/logout", headers=ada.bearer)

    for ticket in (late, orphan, "unknown"):
        with pytest.raises(UnauthenticatedError):
            await deps.authenticate_socket(running.container, socket(f"ticket={ticket}"))


@pytest.mark.parametrize(
    ("query", "headers", "error"),
    [
        ("", {}, UnauthenticatedError),
        ("token={token}", {}, UnauthenticatedError),
        ("", {"authorization": "Bearer {token}", "origin": "https://evil.example"}, ForbiddenError),
        ("workspace_id={foreign}", {"authorization": "Bearer {token}"}, NotFoundError),
        ("", {"authorization": "Bearer {token}", "x_workspace_id": "{foreign}"}, NotFoundError),
        ("", {"authorization": "Bearer {token}", "origin": "http://127.0.0.1"}, None),
        ("workspace_id={own}", {"authorization": "Bearer {token}"}, None),
    ],
)
async def test_sockets(
    running: RunningApp, query: str, headers: dict[str, str], error: type[AppError] | None
) -> None:
    ada, bob = await register(running.client), await register(running.client, "bob@example.org")
    names = {"token": ada.body["access_token"], "foreign": bob.workspace_id, "own": ada.workspace_id}
    opened = socket(query.format(**names), **{key: value.format(**names) for key, value in headers.items()})

    if error is None:
        tenant = await deps.authenticate_socket(running.container, opened)
        assert str(tenant.workspace_id) == ada.workspace_id
    else:
        with pytest.raises(error):
            await deps.authenticate_socket(running.container, opened)
