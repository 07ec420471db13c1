"""Goal R11 in its short form: a server that is killed in the middle of an upload costs the parts in flight, no more."""

from __future__ import annotations

import asyncio
import hashlib
import random

import httpx2
import pytest

from tests.fixtures.app import sign_up
from tests.fixtures.files import MIB, complete, file_url, presign
from tests.fixtures.server import MakeLiveServer

SIZE, CUTS, LANES = 120 * MIB + 77, 5, 3


@pytest.mark.slow
async def test_killed_five_times(make_live_server: MakeLiveServer) -> None:
    data, rng = random.Random(1).randbytes(SIZE), random.Random(2)
    server = make_live_server(transcription_backend="stub")
    server.start()
    sent = 0
    async with server.client() as client:
        await sign_up(client)
        opened = await presign(client, SIZE, "long.wav")
        parts_path = f"/api/files/uploads/{opened['upload_id']}/parts"

        async def send(numbers: list[int]) -> None:
            """One lane: part after part, each with a fresh address, until the server is gone."""
            nonlocal sent
            while numbers:
                number = numbers.pop()
                signed = (await client.post(parts_path, json={"part_numbers": [number]})).json()["parts"][0]
                start = (number - 1) * opened["part_size"]
                sent += 1
                put = await client.put(signed["url"], content=data[start : start + signed["size"]])
                assert put.status_code == 200, put.text

        async def missing() -> list[int]:
            arrived = {part["part_number"] for part in (await client.get(parts_path)).json()["parts"]}
            return [number for number in range(1, opened["part_count"] + 1) if number not in arrived]

        for _ in range(CUTS):
            numbers = await missing()
            lanes = [asyncio.create_task(send(numbers)) for _ in range(LANES)]
            await asyncio.sleep(rng.uniform(0.05, 0.25))
            server.kill()
            for outcome in await asyncio.gather(*lanes, return_exceptions=True):
                assert outcome is None or isinstance(outcome, httpx2.HTTPError), outcome
            server.start()
        await asyncio.gather(send(numbers := await missing()), send(numbers))
        assert sent <= opened["part_count"] + CUTS * LANES
        done = await complete(client, opened)
        assert done.status_code == 200, done.text
        got = await client.get(await file_url(client, opened["file_id"]))
        assert hashlib.sha256(got.content).digest() == hashlib.sha256(data).digest()
    assert list((server.settings.storage_dir / "uploads").iterdir()) == []
