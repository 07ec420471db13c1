"""Row 40: Postgres gives up what a workspace asks for too long; nothing is half done, and nobody else waits."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.db.away import is_away, is_slow
from app.db.session import Database
from tests.fixtures.app import MakeApp, sign_up
from tests.fixtures.jobs import add_workspace


async def test_row_40_a_statement_of_a_tenant_is_given_up(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1, statement_seconds=0.3)
    mine = await add_workspace(database, "mine")

    async def ask_too_much() -> None:
        async with database.tenant(mine) as session:
            await session.execute(sa.text("UPDATE workspaces SET name = 'half done'"))
            await session.execute(sa.text("SELECT pg_sleep(5)"))

    with pytest.raises(DBAPIError) as given_up:
        await ask_too_much()
    assert is_slow(given_up.value)
    assert is_away(given_up.value)  # whoever can wait begins again
    async with database.tenant(mine, read_only=True) as session:
        assert await session.scalar(sa.text("SELECT name FROM workspaces")) == "mine"
    async with database.system() as session:  # sweeps may take their time, on the same connection
        await session.execute(sa.text("SELECT pg_sleep(0.6)"))
    await database.close()


async def test_row_40_the_request_is_told(make_app: MakeApp, postgres_url: str) -> None:
    """Somebody holds the row that it needs."""
    app = await make_app(
        database_url=postgres_url, database_statement_seconds=0.5, transcription_backend="stub"
    )
    await sign_up(app.client)
    sent = await app.client.post("/api/transcribe", files={"file": ("talk.txt", b"Hello there.\n")})
    job = f"/api/jobs/{sent.json()['job_id']}"
    await app.container.dispatcher.stop()
    async with app.container.database.system() as session:
        await session.execute(sa.text("SELECT 1 FROM jobs FOR UPDATE"))
        answer = await app.client.delete(job)
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["code"] == "unavailable"
    assert "too long" in answer.json()["error"]["message"]
    assert int(answer.headers["retry-after"]) > 0
    assert (await app.client.get(job)).status_code == 200
    assert (await app.client.delete(job)).status_code == 204
