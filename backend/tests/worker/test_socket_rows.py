"""Row 36 of the threat table: frames that are too large, or pretend to be small."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.fixtures.identity import register
from tests.fixtures.server import LiveServer

FRAMES: tuple[str | bytes, ...] = ("x" * 65_537, b"x" * 65_537, "x" * (1 << 20))


async def test_row_36_a_frame_over_64_kib_ends_the_socket(live_server: LiveServer) -> None:
    """The watcher of a job has nothing to say, least of all that much."""
    async with live_server.client() as client:
        ada = await register(client)
        quotas = f"/api/admin/workspaces/{ada.workspace_id}/quotas"
        waits = await client.patch(quotas, json={"parallel_jobs": 0}, headers=ada.bearer)
        assert waits.status_code == 200, waits.text
        sent = await client.post(
            "/api/transcribe", files={"file": ("a.wav", b"RIFF" + bytes(100))}, headers=ada.bearer
        )
        assert sent.status_code == 202, sent.text
        url = f"{live_server.base_url.replace('http', 'ws', 1)}/ws/jobs/{sent.json()['job_id']}"
        for frame in FRAMES:
            async with connect(url, additional_headers=ada.bearer, compression="deflate") as socket:
                assert socket.protocol.extensions == []  # frames are not inflated, so none is a bomb
                async with asyncio.timeout(60):
                    with suppress(ConnectionClosed):
                        await socket.send(frame)
                    await socket.wait_closed()
            assert socket.close_code == 1009
        assert (await client.get("/health")).status_code == 200
