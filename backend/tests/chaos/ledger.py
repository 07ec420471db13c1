"""Many jobs over one recording on a server that is a process of its own, and what must be true of them in the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from app.db.session import Database
from app.models import FINAL, Job, JobEvent, JobStatus, JobWindow, Transcript, UsageRecord, UsageState
from tests.fixtures.app import sign_up
from tests.fixtures.server import LiveServer
from tests.fixtures.tone_model import build, tones
from tests.fixtures.wav import write_wav

ENGINE_PROCESSES = 2
WINDOW_SECONDS = 30
PATIENCE_SECONDS = 900  # for the next window, however slow the machine is


def tone_settings(folder: Path) -> dict[str, Any]:
    """A server whose engine hears tones."""
    model = folder / "tone.bin"
    build(model)
    return {
        "whisper_model": str(model),
        "engine_processes": ENGINE_PROCESSES,
        "access_token_expire_minutes": 60,
    }


def write_recording(folder: Path, words: list[str]) -> Path:
    return write_wav(folder / "tones.wav", tones(words))


@dataclass
class Ledger:
    """Jobs that were accepted with 2xx: `accepted` is the ledger."""

    server: LiveServer
    headers: dict[str, str] = field(default_factory=dict)
    file_id: str = ""
    accepted: list[str] = field(default_factory=list)

    async def sign_up(self) -> None:
        async with self.server.client() as client:
            await sign_up(client)
            self.headers = {"Authorization": client.headers["Authorization"]}

    async def upload(self, recording: Path) -> None:
        """The recording, with the calm run over it: its job is the first of the ledger."""
        async with self.client() as client:
            answer = await client.post(
                "/api/transcribe",
                files={"file": (recording.name, recording.read_bytes())},
                data={"vad": "off", "fresh": "true", "language": "en"},
            )
            assert answer.status_code == 202, answer.text
            self.accepted.append(answer.json()["job_id"])
            self.file_id = (await client.get(f"/api/jobs/{self.accepted[0]}")).json()["file_id"]

    async def add(self, client: httpx2.AsyncClient) -> httpx2.Response:
        """One job more, if it is accepted."""
        wish = {"file_id": self.file_id, "vad": "off", "fresh": True, "language": "en"}
        answer = await client.post("/api/jobs", json=wish)
        if answer.is_success:
            self.accepted.append(answer.json()["id"])
        return answer

    def client(self) -> httpx2.AsyncClient:
        return self.server.client(headers=self.headers, timeout=120)

    async def wait(self) -> list[dict[str, Any]]:
        """All of them, once all are final. Impatient only where nothing is done any more: whose turn it is, is chance."""
        committed = -1
        async with asyncio.timeout(PATIENCE_SECONDS) as patience, self.client() as client:
            while True:
                jobs = (await client.get("/api/jobs", params={"limit": 100})).json()["items"]
                if all(job["status"] in FINAL for job in jobs):
                    return [(await client.get(f"/api/jobs/{job_id}")).json() for job_id in self.accepted]
                done = sum(job["windows"]["committed"] for job in jobs)
                if done != committed:
                    committed = done
                    patience.reschedule(asyncio.get_running_loop().time() + PATIENCE_SECONDS)
                await asyncio.sleep(0.5)

    async def more_committed(self, windows: int) -> None:
        """Until so many more windows have a text, or nothing is left to do."""
        before = None
        async with asyncio.timeout(PATIENCE_SECONDS), self.client() as client:
            while True:
                jobs = (await client.get("/api/jobs", params={"limit": 100})).json()["items"]
                committed = sum(job["windows"]["committed"] for job in jobs)
                before = committed if before is None else before
                if committed >= before + windows or all(j["status"] in FINAL for j in jobs):
                    return
                await asyncio.sleep(0.05)

    async def results(self) -> list[dict[str, Any]]:
        """The transcripts, in the order of the ledger."""
        async with self.client() as client:
            return [(await client.get(f"/api/jobs/{j}/result")).json() for j in self.accepted]


async def check_rows(database: Database, accepted: list[str]) -> None:
    """Nothing twice, no gap, nothing left over, in every job that is completed; and those that were accepted are."""
    async with database.system(read_only=True) as session:
        found = await session.execute(sa.select(Job).where(Job.status == JobStatus.COMPLETED))
        jobs = found.scalars().all()
        transcripts = (await session.execute(sa.select(Transcript.job_id))).scalars().all()
        events = (await session.execute(sa.select(JobEvent.job_id, JobEvent.seq))).all()
        committed = (
            await session.execute(sa.select(JobWindow.job_id).where(JobWindow.committed_at.is_not(None)))
        ).scalars()
        windows = list(committed)
        records = (await session.execute(sa.select(UsageRecord))).scalars().all()
    assert set(accepted) <= {str(job.id) for job in jobs}, "a job was lost"
    assert sorted(transcripts) == sorted(job.id for job in jobs), "a transcript twice, or none"
    for job in jobs:
        assert sorted(seq for job_id, seq in events if job_id == job.id) == list(range(1, job.event_seq + 1))
        assert windows.count(job.id) == job.windows_planned == job.windows_committed
        assert (job.lease_owner, job.lease_expires_at) == (None, None)
        charged = [r for r in records if r.job_id == job.id]
        assert [(r.state, r.audio_ms) for r in charged] == [(UsageState.SETTLED, job.duration_ms)], (
            "not charged once"
        )
