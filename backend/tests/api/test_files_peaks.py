"""The drawing of a recording's loudness: there once a job has read it, kept by browsers, gone with the recording."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.asr.types import Peaks
from app.models import MediaFile
from app.services.media.peaks import store_peaks
from tests.fixtures.app import RunningApp, sign_up
from tests.fixtures.files import WAV, upload


async def test_peaks_are_served_and_go_with_the_file(running_app: RunningApp) -> None:
    client, container = running_app.client, running_app.container
    await sign_up(client)
    file_id = (await upload(client, WAV, "a.wav"))["id"]
    path = f"/api/files/{file_id}/peaks"
    missing = await client.get(path)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    async with container.database.system() as session:
        file = await session.get_one(MediaFile, UUID(file_id))
        key = await store_peaks(container.store, file.storage_key, Peaks(16_000, 800, 1, bytes([250, 5])))
        await session.execute(sa.update(MediaFile).where(MediaFile.id == file.id).values(peaks_key=key))
    drawn = await client.get(path)
    assert drawn.status_code == 200
    assert drawn.json()["data"] == [-6, 5]
    assert drawn.headers["content-type"] == "application/json"
    assert drawn.headers["cache-control"] == "private, max-age=31536000, immutable"
    again = await client.get(path, headers={"If-None-Match": drawn.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    async with running_app.new_client() as stranger:
        assert (await stranger.get(path)).status_code == 401
        await sign_up(stranger, "eve@example.org")
        assert (await stranger.get(path)).status_code == 404
    assert (await client.delete(f"/api/files/{file_id}")).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert [p for p in running_app.settings.storage_dir.rglob("*") if p.is_file()] == []
