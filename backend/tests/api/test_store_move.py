"""Everything from one store to the other and back, byte for byte, over a real bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import NotFoundError
from app.services.media.moving import Ledger, ObjectMove, digest
from app.storage.base import ObjectStore
from app.storage.s3 import Bucket, S3Store
from tests.fixtures.app import MakeApp, RunningApp, sign_up
from tests.fixtures.files import complete, presign
from tests.fixtures.ministack import BucketServer


@pytest.fixture
async def app(make_app: MakeApp) -> RunningApp:
    running = await make_app(transcription_backend="stub")
    await sign_up(running.client)
    return running


@pytest.fixture
def bucket(bucket_server: BucketServer, tmp_path: Path) -> S3Store:
    return S3Store(Bucket(bucket_server.settings()), tmp_path / "scratch", ttl_seconds=60)


async def bring(app: RunningApp, name: str, data: bytes) -> str:
    opened = await presign(app.client, len(data), name)
    sent = await app.client.put(opened["url"], content=data)
    assert sent.status_code == 200, sent.text
    return str((await complete(app.client, opened)).json()["id"])


async def keys(app: RunningApp, tmp_path: Path) -> list[str]:
    nowhere = app.container.store
    move = ObjectMove(app.container.database, nowhere, nowhere, Ledger(tmp_path / "no"), target_is_live=False)
    return [key async for key, _ in move._keys()]


def mover(
    app: RunningApp, source: ObjectStore, target: ObjectStore, ledger: Path, *, live: bool = False
) -> ObjectMove:
    return ObjectMove(app.container.database, source, target, Ledger(ledger), target_is_live=live)


async def digests(store: ObjectStore, names: list[str]) -> dict[str, str]:
    return {name: await digest(store, name) for name in names}


async def test_there_and_back_every_object_is_the_same(
    app: RunningApp, bucket: S3Store, tmp_path: Path
) -> None:
    for number in range(3):
        await bring(app, f"{number}.txt", bytes([65 + number]) * (number + 1) * 100_000)
    names, local = await keys(app, tmp_path), app.container.store
    before = await digests(local, names)
    there = await mover(app, local, bucket, tmp_path / "there").run(delete_source=False, told=print)
    assert (there.copied, there.kept, there.missing, there.failed) == (len(names), 0, [], [])
    assert await digests(bucket, names) == before
    again = await mover(app, local, bucket, tmp_path / "there").run(delete_source=False, told=print)
    assert (again.copied, again.kept) == (0, len(names))
    gone = await mover(app, local, bucket, tmp_path / "there", live=True).run(delete_source=True, told=print)
    assert gone.deleted == len(names)
    with pytest.raises(NotFoundError):
        await local.size(names[0])
    back = await mover(app, bucket, local, tmp_path / "back").run(delete_source=False, told=print)
    assert back.copied == len(names)
    assert await digests(local, names) == before


async def test_a_damaged_copy_is_made_again_before_the_source_goes(
    app: RunningApp, bucket: S3Store, tmp_path: Path
) -> None:
    await bring(app, "a.txt", b"a" * 1000)
    (name, *_), local = await keys(app, tmp_path), app.container.store
    await mover(app, local, bucket, tmp_path / "there").run(delete_source=False, told=print)
    await bucket.bucket.call("put_object", Key=name, Body=b"b" * 1000)
    moved = await mover(app, local, bucket, tmp_path / "there").run(delete_source=True, told=print)
    assert (moved.copied, moved.deleted) == (1, 1)
    assert b"".join([block async for block in bucket.read(name)]) == b"a" * 1000


async def test_what_was_deleted_meanwhile_does_not_stay_in_the_other_store(
    app: RunningApp, bucket: S3Store, tmp_path: Path
) -> None:
    file_id, local = await bring(app, "a.txt", b"a" * 1000), app.container.store
    (name, *_) = await keys(app, tmp_path)
    await mover(app, local, bucket, tmp_path / "there").run(delete_source=False, told=print)
    assert (await app.client.delete(f"/api/files/{file_id}")).status_code == 204
    await mover(app, local, bucket, tmp_path / "there").run(delete_source=False, told=print)
    with pytest.raises(NotFoundError):
        await bucket.size(name)


async def test_a_store_that_is_away_loses_nothing_and_the_next_run_goes_on(
    app: RunningApp, bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        await bring(app, f"{number}.txt", b"x" * (1000 + number))
    names, local = await keys(app, tmp_path), app.container.store
    real = bucket.write

    async def fails_once(key: str, *arguments: object, **named: object) -> object:
        if key == names[0]:
            await bucket.bucket.call("get_object", Key="missing")
        return await real(key, *arguments, **named)  # type: ignore[arg-type]  # handed through as they came

    monkeypatch.setattr(bucket, "write", fails_once)
    first = await mover(app, local, bucket, tmp_path / "there").run(delete_source=True, told=print)
    assert first.missing == [names[0]]
    assert await local.size(names[0]) == 1000
    monkeypatch.undo()
    second = await mover(app, local, bucket, tmp_path / "there").run(delete_source=True, told=print)
    assert (second.copied, second.kept, second.deleted) == (1, 1, 1)
