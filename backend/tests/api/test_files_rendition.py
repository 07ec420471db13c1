"""A recording that browsers cannot play gets a version that they can, while the original stays as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2

from tests.fixtures.app import RunningApp, sign_up
from tests.fixtures.files import WAV, file_url, upload
from tests.fixtures.media import tone_onset, write_tone


async def settled(client: httpx2.AsyncClient, file_id: str) -> dict[str, Any]:
    """The file's address once the renditions task has dealt with it."""
    async with asyncio.timeout(120):
        while True:
            body: dict[str, Any] = (await client.get(f"/api/files/{file_id}/url")).json()
            if body["rendition"] != "pending":
                return body
            await asyncio.sleep(0.05)


async def test_matroska_becomes_playable(running_app: RunningApp, tmp_path: Path) -> None:
    client = running_app.client
    await sign_up(client)
    original = write_tone(tmp_path / "talk.mkv", "matroska", "ac3").read_bytes()
    file = await upload(client, original, "talk.mkv")
    assert file["content_type"] == "video/x-matroska"
    body = await settled(client, file["id"])
    assert (body["rendition"], body["content_type"]) == ("ready", "audio/mp4")
    played = await client.get(body["url"], headers={"Range": "bytes=0-"})
    assert played.status_code == 206
    assert played.headers["content-type"] == "audio/mp4"
    (tmp_path / "played.m4a").write_bytes(played.content)
    assert tone_onset(tmp_path / "played.m4a")[0] == "aac"
    assert (await client.get(await file_url(client, file["id"], original=True))).content == original
    assert (await client.delete(f"/api/files/{file['id']}")).status_code == 204
    assert [path for path in running_app.settings.storage_dir.rglob("*") if path.is_file()] == []


async def test_what_plays_stays(running_app: RunningApp, tmp_path: Path) -> None:
    client = running_app.client
    await sign_up(client)
    video = write_tone(tmp_path / "v.mp4", "mp4", "aac", video="libx264").read_bytes()
    for name, data, content_type in (("a.wav", WAV, "audio/wav"), ("v.mp4", video, "video/mp4")):
        body = await settled(client, (await upload(client, data, name))["id"])
        assert (body["rendition"], body["content_type"]) == ("none", content_type)
        assert (await client.get(body["url"])).content == data


async def test_what_is_no_recording_is_said(running_app: RunningApp) -> None:
    client = running_app.client
    await sign_up(client)
    body = await settled(client, (await upload(client, b"just words\n" * 100, "notes.txt"))["id"])
    assert (body["rendition"], body["content_type"]) == ("failed", "text/plain")
