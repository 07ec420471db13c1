"""Rows 34, 57 and R17: what links and grants show, to whom, and when they end."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.models import AuditEntry, Membership, Role
from app.models.shares import ShareLink
from tests.api.test_jobs import finished
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.files import WAV
from tests.fixtures.identity import register
from tests.fixtures.sse import read_events

PASSWORD = "open sesame please"
READS = ("result", "media", "peaks", "download", "events")


@pytest.fixture
async def app(make_app: MakeApp, database_url: str) -> RunningApp:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    await sign_up(running.client)
    return running


async def share(client: httpx2.AsyncClient, job_id: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/jobs/{job_id}/shares", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made: dict[str, Any] = answer.json()
    assert len(made["token"]) == 43  # 256 bits
    assert made["url"].endswith(f"/s/{made['token']}")
    return made


def same_but_request(answer: httpx2.Response) -> tuple[int, dict[str, Any]]:
    error = answer.json()["error"]
    error.pop("request_id")
    return answer.status_code, error


async def test_row_34_a_link_shows_one_transcript_to_whoever_has_it(app: RunningApp) -> None:
    job = await finished(app.client)
    link = await share(app.client, job["id"])
    async with app.new_client() as guest:
        base = f"/api/shares/{link['token']}"
        page = await guest.get(base)
        assert page.json() == {
            "title": "talk.txt",
            "duration_ms": job["duration_ms"],
            "status": "completed",
            "needs_password": False,
            "unlocked": True,
            "allow_download": False,
            "created_at": page.json()["created_at"],
        }
        own = (await app.client.get(f"/api/jobs/{job['id']}/result")).json()
        text = await guest.get(f"{base}/result")
        assert text.json() == own
        events = (await guest.get(f"{base}/events")).text
        assert '"status":"completed"' in events
        for secret in ("file_id", "engine_reasons", "vocabulary", "prompt"):
            assert secret not in events
        refused = await guest.get(f"{base}/download")
        assert same_but_request(refused)[1]["code"] == "forbidden"
        for answer in (page, text, refused, await guest.get(f"{base}x")):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-robots-tag"] == "noindex"
        await app.client.patch(f"/api/jobs/{job['id']}/shares/{link['id']}", json={"allow_download": True})
        saved = await guest.get(f"{base}/download?format=srt")
        assert saved.status_code == 200
        assert "attachment" in saved.headers["content-disposition"]
    (kept,) = (await app.client.get(f"/api/jobs/{job['id']}/shares")).json()["items"]
    assert kept["last_used_at"] is not None
    assert "token" not in kept


async def test_row_34_every_read_asks_for_the_password(app: RunningApp) -> None:
    job = await finished(app.client, name="secret plan.txt")
    link = await share(app.client, job["id"], password=PASSWORD, allow_download=True)
    base = f"/api/shares/{link['token']}"
    async with app.new_client() as guest:
        page = (await guest.get(base)).json()
        assert (page["title"], page["status"], page["needs_password"], page["unlocked"]) == (
            None,
            None,
            True,
            False,
        )
        for read in READS:
            answer = await guest.get(f"{base}/{read}")
            assert same_but_request(answer)[1]["code"] == "share_locked", read
            assert answer.status_code == 401
        wrong = await guest.post(f"{base}/unlock", json={"password": "open sesame pleasf"})
        assert same_but_request(wrong)[1]["code"] == "wrong_password"
        assert (await guest.get(f"{base}/result")).status_code == 401
        good = await guest.post(f"{base}/unlock", json={"password": PASSWORD})
        assert good.status_code == 204
        cookie = good.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        proof = cookie.partition("=")[2].partition(";")[0]
        shown = {"Cookie": f"transcribe_share={proof}"}
        assert (await guest.get(base, headers=shown)).json()["title"] == "secret plan.txt"
        for read in ("result", "download", "events"):
            assert (await guest.get(f"{base}/{read}", headers=shown)).status_code == 200
        other = await share(app.client, job["id"], password=PASSWORD)
        forged = [proof[:-1] + ("0" if proof[-1] != "0" else "1"), "9" + proof, "", "x.y"]
        for value in forged:
            answer = await guest.get(f"{base}/result", headers={"Cookie": f"transcribe_share={value}"})
            assert answer.status_code == 401, value
        elsewhere = await guest.get(f"/api/shares/{other['token']}/result", headers=shown)
        assert elsewhere.status_code == 401  # the same password, but another link
        await app.client.patch(
            f"/api/jobs/{job['id']}/shares/{link['id']}", json={"password": "another one now"}
        )
        assert (await guest.get(f"{base}/result", headers=shown)).status_code == 401


@pytest.mark.parametrize(
    "password", [" " * 8, "\t\n" * 4, "\u2003\u00a0" * 4], ids=["blanks", "breaks", "wide"]
)
async def test_row_34_blanks_are_no_password(app: RunningApp, password: str) -> None:
    job = await finished(app.client)
    refused = await app.client.post(f"/api/jobs/{job['id']}/shares", json={"password": password})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "password"), refused.text
    link = await share(app.client, job["id"])
    changed = await app.client.patch(
        f"/api/jobs/{job['id']}/shares/{link['id']}", json={"password": password}
    )
    assert changed.status_code == 422, changed.text


async def test_viewers_and_keys_that_ask_who_sees_a_transcript_are_told_what_they_cannot(
    app: RunningApp,
) -> None:
    job = await finished(app.client)
    workspace = (await app.client.get("/api/auth/me")).json()["workspaces"][0]["id"]
    body = {"name": "script", "scopes": ["read"]}
    made = await app.client.post(f"/api/workspaces/{workspace}/api-keys", json=body)
    async with app.new_client() as other:
        viewer = await register(other, "viewer@example.org")
        async with app.container.database.system() as session:
            session.add(Membership(workspace_id=UUID(workspace), user_id=UUID(viewer.id), role=Role.VIEWER))
        key = {"Authorization": f"Bearer {made.json()['key']}"}
        viewing = viewer.bearer | {"X-Workspace-Id": workspace}
        for who, headers in (("API keys", key), ("Viewers", viewing)):
            for path in ("shares", "grants"):
                answer = await other.get(f"/api/jobs/{job['id']}/{path}", headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
                message = answer.json()["error"]["message"]
                assert message.startswith(who)
                assert "see with whom" in message


async def test_row_34_revoked_expired_and_unknown_links_look_the_same(app: RunningApp) -> None:
    job = await finished(app.client)
    gone, old = await share(app.client, job["id"]), await share(app.client, job["id"], password=PASSWORD)
    assert (await app.client.delete(f"/api/jobs/{job['id']}/shares/{gone['id']}")).status_code == 204
    async with app.container.database.system() as session:
        await session.execute(
            sa.update(ShareLink).where(ShareLink.token_hash.is_not(None)).values(expires_at=utcnow())
        )
    async with app.new_client() as guest:
        for path in ("", *(f"/{read}" for read in READS)):
            unknown = same_but_request(await guest.get(f"/api/shares/{'x' * 43}{path}"))
            assert unknown[0] == 404
            for token in (gone["token"], old["token"], "%2e%2e", gone["id"]):
                assert same_but_request(await guest.get(f"/api/shares/{token}{path}")) == unknown
        answer = await guest.post(f"/api/shares/{old['token']}/unlock", json={"password": PASSWORD})
        assert answer.status_code == 404
    past = await app.client.post(f"/api/jobs/{job['id']}/shares", json={"expires_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422


async def test_row_34_guesses_are_slowed_down(app: RunningApp) -> None:
    job = await finished(app.client)
    link = await share(app.client, job["id"], password=PASSWORD)
    async with app.new_client() as guest:
        codes = []
        for number in range(200):
            answer = await guest.post(
                f"/api/shares/{link['token']}/unlock", json={"password": f"guess number {number}"}
            )
            codes.append(answer.status_code)
        assert codes[:10] == [403] * 10
        assert set(codes[10:]) == {429}
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        right = await guest.post(f"/api/shares/{link['token']}/unlock", json={"password": PASSWORD})
        assert right.status_code == 429


async def test_row_34_secrets_are_kept_as_hashes(app: RunningApp) -> None:
    job = await finished(app.client)
    link = await share(app.client, job["id"], password=PASSWORD)
    async with app.container.database.system(read_only=True) as session:
        row = (await session.scalars(sa.select(ShareLink))).one()
        kept = " ".join(str(value) for value in vars(row).values())
        noted = (
            await session.scalars(sa.select(AuditEntry).where(AuditEntry.target_type == "share_link"))
        ).one()
    assert row.password_hash is not None
    assert row.password_hash.startswith("$argon2id$")
    for secret in (link["token"], PASSWORD):
        assert secret not in kept
        assert secret not in str(noted.detail)
    assert noted.action == "share_link.created"


async def test_row_34_a_revocation_ends_an_open_stream(serve_app: MakeApp, database_url: str) -> None:
    """A job that waits for a model has no end: only the revocation can close its streams."""
    app = await serve_app(database_url=database_url, transcription_backend="whisper_cpp")
    await sign_up(app.client)
    async with httpx2.AsyncClient(base_url=app.base_url) as stranger:
        eve = await register(stranger, "eve@example.org")
    answer = await app.client.post("/api/transcribe", files={"file": ("a.wav", WAV)})
    job_id = answer.json()["job_id"]
    link = await share(app.client, job_id)
    await app.client.put(
        f"/api/jobs/{job_id}/grants", json={"email": "eve@example.org", "permission": "view"}
    )
    endings = {
        f"/api/shares/{link['token']}/events": f"/api/jobs/{job_id}/shares/{link['id']}",
        f"/api/shared/{job_id}/events": f"/api/jobs/{job_id}/grants/{eve.id}",
    }
    for stream, ending in endings.items():
        async with (
            httpx2.AsyncClient(base_url=app.base_url, headers=eve.bearer, timeout=30) as guest,
            guest.stream("GET", stream) as open_stream,
        ):
            assert open_stream.status_code == 200
            events = read_events(open_stream)
            assert (await anext(events)).type == "status"
            assert (await app.client.delete(ending)).status_code == 204
            began = time.monotonic()
            async with asyncio.timeout(8):
                async for _ in events:
                    pass
            assert time.monotonic() - began < 5
