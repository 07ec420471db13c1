"""Jobs on a server that takes none itself: handed in, waited for, and held against what was said in them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.fixtures.app import sign_up
from tests.fixtures.server import LiveServer
from tests.fixtures.tone_model import sequence, tones
from tests.fixtures.wav import write_wav

PATIENCE_SECONDS = 600.0  # for a machine that has much else to do
FINAL = ("completed", "failed", "cancelled")


@dataclass
class Crowd:
    """One account and its jobs. `ledger` holds the ids that the server has accepted: none of them may be lost."""

    server: LiveServer
    folder: Path
    client: httpx2.AsyncClient = field(init=False)
    ledger: dict[str, str] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)

    async def __aenter__(self) -> Crowd:
        self.client = self.server.client()
        await self.client.__aenter__()
        await sign_up(self.client)
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.client.aclose()

    async def say(self, windows: int, seed: int) -> str:
        """A recording of so many windows of 30 s; the job's id."""
        words = sequence(windows * 30, seed)
        file = write_wav(self.folder / f"tones-{seed}.wav", tones(words))
        job_id = await self._send(file.name, file.read_bytes())
        assert job_id is not None
        self.ledger[job_id] = " ".join(words)
        return job_id

    async def write(self, text: str) -> str | None:
        """A text that is its own transcript (the engine stub); None where the server was not able to take it."""
        job_id = await self._send("said.txt", text.encode())
        if job_id is not None:
            self.ledger[job_id] = text
        return job_id

    async def _send(self, name: str, content: bytes) -> str | None:
        answer = await self.client.post(
            "/api/transcribe", files={"file": (name, content)}, data={"vad": "off", "fresh": "true"}
        )
        if answer.status_code == 503:
            assert answer.headers["Retry-After"]
            self.refusals.append(503)
            return None
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    async def jobs(self) -> list[dict[str, Any]]:
        """Those of the ledger, as they are."""
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = (await self.client.get("/api/jobs", params=query)).json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return [job for job in items if job["id"] in self.ledger]

    async def committed(self) -> int:
        """Windows with a text, of all jobs."""
        return sum(job["windows"]["committed"] for job in await self.jobs())

    async def wait_for_progress(self, beyond: int) -> bool:
        """Until more than so many windows are committed; False where all jobs have ended before."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            jobs = await self.jobs()
            if all(job["status"] in FINAL for job in jobs):
                return False
            if sum(job["windows"]["committed"] for job in jobs) > beyond:
                return True
            assert time.monotonic() < until, f"nothing moves: {jobs}"
            await asyncio.sleep(0.1)

    async def wait_for_all(self) -> list[dict[str, Any]]:
        """The jobs once they have all ended. Impatient only where nothing is done any more."""
        until, committed = time.monotonic() + PATIENCE_SECONDS, -1
        while True:
            jobs = await self.jobs()
            assert len(jobs) == len(self.ledger), "an accepted job is gone"
            if all(job["status"] in FINAL for job in jobs):
                return jobs
            if (done := sum(job["windows"]["committed"] for job in jobs)) != committed:
                until, committed = time.monotonic() + PATIENCE_SECONDS, done
            assert time.monotonic() < until, [job for job in jobs if job["status"] not in FINAL]
            await asyncio.sleep(0.2)

    async def check_texts(self, jobs: list[dict[str, Any]]) -> None:
        """Nothing lost, nothing twice, and each text what was said."""
        assert [job["error"] for job in jobs if job["status"] != "completed"] == []
        for job in jobs:
            result = (await self.client.get(f"/api/jobs/{job['id']}/result")).json()
            assert " ".join(result["text"].split()) == self.ledger[job["id"]], job
            assert job["windows"]["planned"] == job["windows"]["committed"]
