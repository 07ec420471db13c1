"""Row 33: readers that go away in the middle never leave an answer, or a transaction, to the next one."""

from __future__ import annotations

import asyncio
import random

import httpx2

from tests.fixtures.app import RunningApp, sign_up

REQUESTS = 200


async def test_row_33_aborted_requests_cross_no_answers(served_app: RunningApp) -> None:
    """Two tenants read at once over a real socket; a third of the requests are cut off after a random moment."""
    chance = random.Random(33)
    async with (
        httpx2.AsyncClient(base_url=served_app.base_url, timeout=30) as ada,
        httpx2.AsyncClient(base_url=served_app.base_url, timeout=30) as eve,
    ):
        names = {}
        for client, name in ((ada, "ada"), (eve, "eve")):
            await sign_up(client, f"{name}@example.org")
            answer = await client.post(
                "/api/transcribe", files={"file": (f"{name}.wav", b"RIFF" + bytes(100))}
            )
            assert answer.status_code == 202, answer.text
            names[client] = f"{name}.wav"
        seen = {ada: 0, eve: 0}

        async def ask(client: httpx2.AsyncClient, cut_after: float | None) -> None:
            try:
                async with asyncio.timeout(cut_after):
                    answer = await client.get(chance.choice(["/api/jobs", "/api/files", "/api/jobs?limit=1"]))
            except TimeoutError:
                return
            assert answer.status_code == 200, answer.text
            assert {item["filename"] for item in answer.json()["items"]} == {names[client]}
            seen[client] += 1

        for _ in range(REQUESTS // 20):
            batch = [
                ask(client, chance.uniform(0, 0.05) if chance.random() < 1 / 3 else None)
                for client in (ada, eve)
                for _ in range(10)
            ]
            await asyncio.gather(*batch)
        assert min(seen.values()) >= REQUESTS / 4
