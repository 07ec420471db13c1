"""A whole file in one request: streamed, stopped at the limit, written down after it is sealed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.core.clock import utcnow
from app.core.errors import ConflictError, FileEmptyError, FileTooLargeError
from app.db.session import Database
from app.models import MediaFile, Upload
from app.services.media.files import Files
from app.services.media.intake import Intake
from app.services.media.janitor import expire_uploads
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner
from tests.fixtures.files import WAV
from tests.fixtures.jobs import add_workspace

TTL = timedelta(hours=24)


class House:
    """Files over a database and a local store of 1 MiB at most."""

    def __init__(self, database: Database, root: Path, workspace_id: UUID) -> None:
        self.database, self.workspace_id = database, workspace_id
        self.store = LocalStore(root, UrlSigner(b"k" * 32, ttl_seconds=60))
        self.woken = 0
        self.files = Files(Intake(database, self.store, max_bytes=1 << 20, ttl=TTL, wake=self._wake))

    def _wake(self) -> None:
        self.woken += 1

    async def send(self, chunks: AsyncIterator[bytes], filename: str = "a.wav") -> MediaFile:
        return await self.files.store_stream(
            workspace_id=self.workspace_id, user_id=None, filename=filename, content_type=None, chunks=chunks
        )

    async def count(self, model: type[MediaFile] | type[Upload]) -> int:
        async with self.database.system(read_only=True) as session:
            return (await session.execute(sa.select(sa.func.count()).select_from(model))).scalar_one()

    def stored(self) -> list[Path]:
        return [path for path in self.store.root.rglob("*") if path.is_file()]


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    database = Database(database_url)
    yield House(database, tmp_path / "storage", await add_workspace(database))
    await database.close()


async def chunks(*data: bytes) -> AsyncIterator[bytes]:
    for chunk in data:
        yield chunk


async def test_stream(house: House) -> None:
    file = await house.send(chunks(WAV[:10], WAV[10:]), "dir/Запись.wav")
    assert (file.filename, file.size, file.content_type) == ("Запись.wav", len(WAV), "audio/wav")
    assert file.sha256 == hashlib.sha256(WAV).hexdigest()
    assert (file.rendition_state, house.woken) == ("none", 0)
    assert (await house.store.local_path(file.storage_key)).read_bytes() == WAV
    async with house.database.tenant(house.workspace_id) as session:
        assert (await house.files.get(session, file.id)).sha256 == file.sha256
    await house.send(chunks(b"FORM....AIFF"), "a.aiff")
    assert house.woken == 1


async def test_limits_leave_nothing(house: House) -> None:
    with pytest.raises(FileTooLargeError, match="larger than 1 MiB") as caught:
        await house.send(chunks(bytes(1 << 20), b"x"))
    assert caught.value.field == "file"
    with pytest.raises(FileEmptyError):
        await house.send(chunks())

    async def cut() -> AsyncIterator[bytes]:
        yield b"x"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await house.send(cut())
    assert (house.stored(), await house.count(Upload), await house.count(MediaFile)) == ([], 0, 0)
    assert (await house.send(chunks(bytes(1 << 20)))).size == 1 << 20


async def test_no_transaction_is_open_while_it_streams(house: House) -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"
            async with asyncio.timeout(2), house.database.system() as session:
                await session.execute(sa.update(Upload).values(filename="busy"))

    await house.send(slow())


async def test_expired_while_it_streams(house: House) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        async with house.database.system() as session:
            await session.execute(
                sa.update(Upload).values(expires_at=utcnow() - timedelta(seconds=1), state="aborted")
            )

    with pytest.raises(ConflictError):
        await house.send(slow())
    assert house.stored() == []
    await expire_uploads(house.database, house.store, ttl=TTL)
    assert await house.count(Upload) == 0


async def test_unused_files_go_with_their_bytes(house: House) -> None:
    file = await house.send(chunks(WAV))
    async with house.database.tenant(house.workspace_id) as session:
        assert await house.files.delete_if_unused(session, file.id)
        assert len(house.stored()) == 1  # bytes go after the commit only
    assert house.stored() == []
    async with house.database.tenant(house.workspace_id) as session:
        assert not await house.files.delete_if_unused(session, file.id)


async def test_a_rollback_keeps_the_bytes(house: House) -> None:
    file = await house.send(chunks(WAV))
    with contextlib.suppress(RuntimeError):
        async with house.database.tenant(house.workspace_id) as session:
            assert await house.files.delete_if_unused(session, file.id)
            raise RuntimeError
    assert len(house.stored()) == 1
    async with house.database.tenant(house.workspace_id) as session:
        assert (await house.files.get(session, file.id)).id == file.id
