"""One query for all who want the same page at the same time, and never an old page for a new ring."""

from __future__ import annotations

import asyncio

import pytest

from app.services.jobs.events import Event
from app.services.jobs.page_reads import Page, SharedPages


class Rows:
    """Counts how often it is read; a read ends when it is let."""

    def __init__(self) -> None:
        self.reads = 0
        self.let = asyncio.Event()

    async def load(self) -> Page:
        self.reads += 1
        number = self.reads
        await self.let.wait()
        return [Event(number, "status", {})]


async def test_readers_of_one_page_share_one_read() -> None:
    pages, rows = SharedPages(), Rows()
    readers = [asyncio.create_task(pages.read(("job", 0), rows.load)) for _ in range(100)]
    await asyncio.sleep(0)
    readers[0].cancel()  # one that goes away takes nothing from the others
    rows.let.set()
    answers = await asyncio.gather(*readers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [[Event(1, "status", {})]] * 99
    assert rows.reads == 1


async def test_a_ring_makes_it_another_page() -> None:
    pages, rows = SharedPages(), Rows()
    before = asyncio.create_task(pages.read(("job", 0), rows.load))
    await asyncio.sleep(0)
    after = asyncio.create_task(pages.read(("job", 1), rows.load))
    await asyncio.sleep(0)
    rows.let.set()
    assert (await before, await after) == ([Event(1, "status", {})], [Event(2, "status", {})])


async def test_what_is_read_is_not_kept() -> None:
    pages, rows = SharedPages(), Rows()
    rows.let.set()
    await pages.read("key", rows.load)
    assert await pages.read("key", rows.load) == [Event(2, "status", {})]


async def test_all_readers_hear_of_a_failure_and_the_next_one_tries_again() -> None:
    pages = SharedPages()

    async def broken() -> Page:
        raise ConnectionError

    answers = await asyncio.gather(*(pages.read("key", broken) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError] * 3
    with pytest.raises(ConnectionError):
        await pages.read("key", broken)
