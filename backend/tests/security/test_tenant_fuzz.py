"""The tenant fuzz, generated from the OpenAPI document: whoever asks for another tenant's things learns and changes
nothing. On SQLite, on Postgres, and on Postgres with the application's filter taken away.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

import app.db.session as sessions
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.files import altered
from tests.fixtures.identity import register
from tests.security.tenant_seed import Seed, add_member, fingerprint, missing, note_reads, seed, settle
from tests.security.tenant_table import TABLE, Op

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the document's, with its row of the table."""

    id: str
    method: str
    path: str
    params: tuple[str, ...]
    row: Op


@dataclass(slots=True)
class Fuzz:
    """A seeded application and what went wrong so far."""

    app: RunningApp
    client: httpx2.AsyncClient
    victim: Seed
    stranger: Seed
    viewer: dict[str, str]
    member: dict[str, str]
    wrong: list[str] = field(default_factory=list)

    async def ask(self, op: Operation, ids: dict[str, str], headers: dict[str, str]) -> tuple[int, Any]:
        path = op.path
        for name in op.params:
            path = path.replace(f"{{{name}}}", ids[name])
        extra: dict[str, Any] = {}
        if op.row.body is not None:
            extra["json"] = op.row.body(ids)
        if op.row.form:
            extra["files"] = {"file": ("a.txt", b"words\n")}
        answer = await self.client.request(op.method, path, headers=headers, **extra)
        self.client.cookies.clear()
        # An id that was asked for and comes back says nothing.
        self.leaks(op.id, answer.text.replace(ids["job_id"], "") if op.row.each else answer.text)
        return answer.status_code, _body(answer)

    def leaks(self, what: str, text: str) -> None:
        self.wrong += [f"{what}: shows {secret}" for secret in self.victim.secrets if secret in text]

    def expect(self, what: str, got: tuple[int, Any], status: int) -> None:
        if got[0] != status:
            self.wrong.append(f"{what}: {got[0]} instead of {status}: {str(got[1])[:200]}")

    def alike(self, what: str, got: tuple[int, Any], unknown: tuple[int, Any], status: int = 404) -> None:
        self.expect(what, got, status)
        if got != unknown:
            self.wrong.append(f"{what}: {got} is told from {unknown}")


def _body(answer: httpx2.Response) -> Any:
    kind = answer.headers.get("content-type", "")
    if not answer.content or not kind.startswith("application/json"):
        return answer.text
    body = answer.json()
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body["error"].pop("request_id", None)
    return body


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                found = methods[method]
                params = tuple(p["name"] for p in found.get("parameters", ()) if p["in"] == "path")
                row = TABLE.get(found["operationId"])
                if row is not None:
                    yield Operation(found["operationId"], method.upper(), path, params, row)


def test_row_31_r17_the_table_knows_every_operation() -> None:
    from app.main import create_app

    document = create_app().openapi()
    known = {found["operationId"] for path in document["paths"].values() for found in path.values()}
    assert known - set(TABLE) == set(), "operations without a row in tenant_table.py"
    assert set(TABLE) - known == set(), "rows without an operation"
    assert all(op.why for op in TABLE.values() if op.kind == "open")


@pytest.fixture(params=["sqlite", "postgres", "wall alone"])
async def fuzz(
    request: pytest.FixtureRequest, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fuzz]:
    if request.param == "wall alone":  # before the sessions are made: only Postgres' own policies are left
        monkeypatch.setattr(sessions, "_filter_tenant", lambda _state: None)
        monkeypatch.setattr(sessions, "_refuse_foreign_rows", lambda *_: None)
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    app = await make_app(database_url=url, transcription_backend="stub")
    async with app.new_client() as client:
        await register(client, "root@example.org")  # the first account is the administrator
        victim, stranger = await seed(app, "victim"), await seed(app, "stranger")
        workspace = victim.ids["workspace_id"]
        viewer = await add_member(app, workspace, "viewer", "viewer")
        member = await add_member(app, workspace, "member", "member")
        named = {"X-Workspace-Id": workspace}
        yield Fuzz(app, client, victim, stranger, viewer.bearer | named, member.bearer | named)


async def test_row_31_r17_another_tenant_learns_and_changes_nothing(fuzz: Fuzz) -> None:
    database = fuzz.app.container.database
    before = await settle(fuzz.app)
    for op in operations(fuzz.app.app.openapi()):
        if op.row.kind == "open":
            continue
        await by_nobody(fuzz, op)
        await by_a_stranger(fuzz, op)
        await by_a_strangers_key(fuzz, op)
        await by_a_lower_role(fuzz, op)
        if op.method == "GET":  # what one of those changes is found with the next, or at the end
            continue
        await note_reads(fuzz.app)
        after = await fingerprint(database)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            fuzz.wrong.append(f"{op.id}: changed {', '.join(changed)}")
            before = after
    await by_signed_address(fuzz)
    await by_socket(fuzz)
    await note_reads(fuzz.app)
    assert fuzz.wrong == []
    assert await fingerprint(database) == before


async def by_nobody(fuzz: Fuzz, op: Operation) -> None:
    """Without credentials, with a key that was revoked, with a share link's token as if it were one."""
    if op.row.kind == "token":
        return
    pretences: dict[str, dict[str, str]] = {
        "nobody": {},
        "revoked key": {"Authorization": f"Bearer {fuzz.victim.revoked_key}"},
        "share token": {"Authorization": f"Bearer {fuzz.victim.ids['token']}"},
    }
    for name, headers in pretences.items():
        named = headers | {"X-Workspace-Id": fuzz.victim.ids["workspace_id"]}
        fuzz.expect(f"{op.id} by {name}", await fuzz.ask(op, fuzz.victim.ids, named), 401)


async def by_a_stranger(fuzz: Fuzz, op: Operation) -> None:
    """Signed in, with the other tenant's ids in path, body, query and header; each beside ids of nothing."""
    bearer, theirs, mine = fuzz.stranger.person.bearer, fuzz.victim.ids, fuzz.stranger.ids
    nothing = missing(theirs)
    if op.row.kind == "token":
        await by_locked_link(fuzz, op, bearer)
        return
    if op.row.kind == "admin":
        fuzz.alike(op.id, await fuzz.ask(op, theirs, bearer), await fuzz.ask(op, nothing, bearer), 403)
        return
    named = op.params or (op.row.body is not None and op.row.body(theirs) != op.row.body(nothing))
    if (
        op.row.kind in ("path", "grant")
        or (named and op.row.kind != "own")
        or op.id == "account_revoke_session"
    ):
        got, unknown = await fuzz.ask(op, theirs, bearer), await fuzz.ask(op, nothing, bearer)
        if op.row.each:
            got = _as_if(got, theirs["job_id"], nothing["job_id"])
        fuzz.alike(f"{op.id} by another tenant", got, unknown, 200 if op.row.each else 404)
    if op.row.kind in ("tenant", "path") and len(op.params) > 1 and "speaker" not in op.params:
        parent, child = op.params[0], op.params[1]
        got = await fuzz.ask(op, mine | {child: theirs[child]}, bearer)
        unknown = await fuzz.ask(op, mine | {child: nothing[child]}, bearer)
        fuzz.alike(f"{op.id} under one's own {parent}", got, unknown)
    if op.row.kind == "tenant":
        for ids in (theirs, mine):
            got = await fuzz.ask(op, ids, bearer | {"X-Workspace-Id": theirs["workspace_id"]})
            unknown = await fuzz.ask(op, ids, bearer | {"X-Workspace-Id": nothing["workspace_id"]})
            fuzz.alike(f"{op.id} with another tenant's header", got, unknown)
    if op.method == "GET" and not op.params and not op.row.stream:
        query = f"?cursor={fuzz.victim.cursor}&limit=100" if op.id in ("jobs_list", "files_list") else ""
        asked = Operation(op.id, op.method, op.path + query, op.params, op.row)
        fuzz.expect(op.id, await fuzz.ask(asked, mine, bearer), 200)


def _as_if(answer: tuple[int, Any], asked: str, other: str) -> tuple[int, Any]:
    """The answer with the id that it repeats replaced; each of its items has to be refused as unknown."""
    items = answer[1]["items"]
    assert {item["code"] for item in items} == {"not_found"}
    return answer[0], json.loads(json.dumps(answer[1]).replace(asked, other))


async def by_a_strangers_key(fuzz: Fuzz, op: Operation) -> None:
    """A good API key of another workspace, which is looked up on a way of its own: 404, or 403 where keys never go."""
    if op.row.kind not in ("tenant", "path", "grant", "admin"):
        return
    bearer, theirs = {"Authorization": f"Bearer {fuzz.stranger.key}"}, fuzz.victim.ids
    nothing = missing(theirs)
    if op.params or (op.row.body is not None and op.row.body(theirs) != op.row.body(nothing)):
        got, unknown = await fuzz.ask(op, theirs, bearer), await fuzz.ask(op, nothing, bearer)
        if op.row.each:
            got = _as_if(got, theirs["job_id"], nothing["job_id"])
        status = 200 if op.row.each else 403 if unknown[0] == 403 else 404
        fuzz.alike(f"{op.id} by another tenant's key", got, unknown, status)
    if op.row.kind == "tenant":
        got = await fuzz.ask(op, theirs, bearer | {"X-Workspace-Id": theirs["workspace_id"]})
        unknown = await fuzz.ask(op, theirs, bearer | {"X-Workspace-Id": nothing["workspace_id"]})
        fuzz.alike(f"{op.id} by another tenant's key with the header", got, unknown)


async def by_locked_link(fuzz: Fuzz, op: Operation, bearer: dict[str, str]) -> None:
    """Whoever finds a link with a password sees that there is one, and no more; other tokens are unknown."""
    locked = {"share_links_look": 200, "share_links_unlock": 403}.get(op.id, 401)
    fuzz.expect(op.id, await fuzz.ask(op, fuzz.victim.ids, bearer), locked)
    ids = fuzz.victim.ids
    unknown = await fuzz.ask(op, missing(ids), bearer)
    for other in ("share_id", "job_id", "workspace_id"):
        got = await fuzz.ask(op, ids | {"token": ids[other]}, bearer)
        fuzz.alike(f"{op.id} with a {other}", got, unknown)


async def by_a_lower_role(fuzz: Fuzz, op: Operation) -> None:
    """Members of the same workspace who may not do this: 403, as the contract says."""
    if op.row.needs in ("member", "manager"):
        fuzz.wrong += await refused(fuzz, op, "viewer", fuzz.viewer)
    if op.row.needs == "manager":
        fuzz.wrong += await refused(fuzz, op, "member", fuzz.member)


async def refused(fuzz: Fuzz, op: Operation, role: str, headers: dict[str, str]) -> list[str]:
    path_ids = fuzz.victim.ids
    answer = await fuzz.ask(op, path_ids, headers)
    return [] if answer[0] == 403 else [f"{op.id} by a {role}: {answer}"]


async def by_signed_address(fuzz: Fuzz) -> None:
    """A signature for one's own object is none for another tenant's, nor for another method."""
    mine, theirs = fuzz.stranger, fuzz.victim
    for own, foreign in ((mine.media_url, theirs.media_url), (mine.part_url, theirs.part_url)):
        method = "PUT" if own == mine.part_url else "GET"
        path = urlsplit(foreign).path
        unknown = re.sub(r"[0-9a-f]{12}(?=/)", "0" * 12, path)
        assert unknown != path
        got = await fuzz.client.request(method, altered(own, path=path), content=b"x" * 10)
        other = await fuzz.client.request(method, altered(own, path=unknown), content=b"x" * 10)
        fuzz.leaks("store", got.text)
        fuzz.alike("a signed address", (got.status_code, _body(got)), (other.status_code, _body(other)), 403)


async def by_socket(fuzz: Fuzz) -> None:
    """Row 35: the WebSocket of a job, by whoever may not look."""
    ids, nothing = fuzz.victim.ids, missing(fuzz.victim.ids)
    bearer = fuzz.stranger.person.bearer
    for headers, query in (
        ({}, ""),
        ({"Authorization": f"Bearer {fuzz.victim.revoked_key}"}, ""),
        ({"Authorization": f"Bearer {ids['token']}"}, ""),
        ({}, f"ticket={ids['token']}"),
        (bearer, f"workspace_id={ids['workspace_id']}"),
        (bearer | {"X-Workspace-Id": ids["workspace_id"]}, ""),
    ):
        said = await socket(fuzz, ids["job_id"], headers, query)
        if [message["type"] for message in said] != ["websocket.close"]:
            fuzz.wrong.append(f"socket: {said}")
    foreign = await socket(fuzz, ids["job_id"], bearer)
    if foreign != await socket(fuzz, nothing["job_id"], bearer) or foreign[-1].get("code") != 4404:
        fuzz.wrong.append(f"socket of another tenant: {foreign}")


async def socket(fuzz: Fuzz, job_id: str, headers: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    """What the application says on a WebSocket whose other end says nothing."""
    said: list[dict[str, Any]] = []
    incoming = iter([{"type": "websocket.connect"}])

    async def receive() -> dict[str, Any]:
        return next(incoming, {"type": "websocket.disconnect", "code": 1005})

    async def send(message: Any) -> None:
        said.append(dict(message))

    sent = {"host": "127.0.0.1", "origin": "http://127.0.0.1"} | headers
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": f"/ws/jobs/{job_id}",
        "raw_path": f"/ws/jobs/{job_id}".encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
        "extensions": {},
        "state": {},
    }
    await fuzz.app.app(scope, receive, send)
    return said
