"""Words and secrets that go through a whole server, looked for in everything it wrote (threat row 48)."""

from __future__ import annotations

import asyncio
import re

import httpx2
from websockets.asyncio.client import connect

from tests.fixtures.app import sign_up
from tests.fixtures.server import LiveServer, MakeLiveServer

PASSWORD = "canary-password-Tr0ub4dor"
WORDS = "canarywords spoken in confidence"


async def test_row_48_nothing_of_a_visit_stands_in_the_log(make_live_server: MakeLiveServer) -> None:
    server = make_live_server(transcription_backend="stub", log_level="DEBUG")
    server.start()
    secrets: list[str] = [PASSWORD, "canarywords", "canary-unlock"]
    async with server.client() as client:
        me = await sign_up(client, password=PASSWORD)
        secrets += [me["access_token"], client.cookies["transcribe_refresh"]]
        await client.post("/api/auth/login", json={"email": "ada@example.org", "password": "canary-wrong"})
        secrets.append("canary-wrong")
        await visit(client, server, secrets, me["user"]["workspaces"][0]["id"])
        await client.get("/api/jobs?q=canarywords&token=canary-in-query")
        await client.get("/api/jobs", headers={"Authorization": "Bearer canary-bearer-token"})
        await client.post(
            "/api/jobs", content=b'{"prompt": "canary-malformed', headers={"X-A": "canary-header"}
        )
        secrets += ["canary-in-query", "canary-bearer-token", "canary-malformed", "canary-header"]
    server.stop()
    log = server.log()
    assert '"event": "request"' in log
    assert "/ws/jobs/" in log
    found = [secret for secret in secrets if secret in log]
    assert found == []
    assert not re.search(r"signature=(?!\[redacted\])", log)


async def visit(client: httpx2.AsyncClient, server: LiveServer, secrets: list[str], workspace: str) -> None:
    """Upload, transcribe, watch, read, share."""
    announced = (
        await client.post("/api/files/presign", json={"filename": "notes.txt", "size": len(WORDS)})
    ).json()
    secrets.append(announced["url"].partition("?")[2])
    await client.put(announced["url"], content=WORDS.encode(), headers=announced["headers"])
    file = (await client.post("/api/files/complete", json={"upload_id": announced["upload_id"]})).json()
    job = await client.post("/api/jobs", json={"file_id": file["id"], "prompt": "canary-prompt"})
    secrets.append("canary-prompt")
    job_id = job.json()["id"]
    ticket = (await client.post("/api/auth/ticket")).json()["ticket"]
    secrets.append(ticket)
    address = f"ws://127.0.0.1:{server.port}/ws/jobs/{job_id}?ticket={ticket}"
    async with connect(address) as socket, asyncio.timeout(60):
        async for message in socket:
            if '"type":"end"' in str(message).replace(" ", ""):
                break
    result = await client.get(f"/api/jobs/{job_id}/result")
    assert WORDS in result.json()["text"]
    secrets.append((await client.get(f"/api/files/{file['id']}/url")).json()["url"].partition("?")[2])
    link = (await client.post(f"/api/jobs/{job_id}/shares", json={"password": "canary-unlock"})).json()
    token = link["url"].rpartition("/")[2]
    secrets.append(token)
    await client.post(f"/api/shares/{token}/unlock", json={"password": "canary-unlock"})
    await client.get(f"/api/shares/{token}/result")
    made = await client.post(f"/api/workspaces/{workspace}/api-keys", json={"name": "script"})
    secrets.append(made.json()["key"])
    await client.get("/api/jobs", headers={"Authorization": f"Bearer {made.json()['key']}"})
