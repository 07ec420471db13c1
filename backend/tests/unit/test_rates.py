"""Counting in moving windows, and whom an address stands for."""

from __future__ import annotations

import asyncio
import time

import pytest

from app.core.addresses import counted_as
from app.core.rates import MemoryCounts, RateCounter, Verdict, read_rule
from app.core.redis_rates import RedisCounts
from tests.fixtures.redis import RedisServer


async def take(counter: RateCounter, name: str = "a", who: str = "ada") -> Verdict:
    verdict = await counter.count([(name, who)])
    assert verdict is not None
    return verdict


async def test_as_many_as_the_rule_says_and_each_for_themselves() -> None:
    counter = RateCounter({"a": read_rule("3/hour")})
    verdicts = [await take(counter) for _ in range(5)]
    assert [v.allowed for v in verdicts] == [True, True, True, False, False]
    assert [v.remaining for v in verdicts] == [2, 1, 0, 0, 0]
    assert verdicts[-1].limit == 3
    assert verdicts[-1].window_seconds == 3600
    assert 3500 < verdicts[-1].reset_seconds <= 3600
    assert (await take(counter, who="bob")).allowed


async def test_room_comes_back_when_it_is_said_to() -> None:
    counter = RateCounter({"a": read_rule("2/second")})
    await take(counter)
    await take(counter)
    refused = await take(counter)
    while refused.allowed:  # a slow machine: the second was over
        refused = await take(counter)
    await asyncio.sleep(refused.reset_seconds)
    until = time.monotonic() + 5
    while not (again := await take(counter)).allowed:
        assert time.monotonic() < until
        await asyncio.sleep(again.reset_seconds)


async def test_of_several_windows_the_tightest_is_told() -> None:
    counter = RateCounter({"a": read_rule("5/minute;2/hour"), "b": read_rule("1/day")})
    assert (await take(counter)).limit == 2
    both = await counter.count([("a", "ada"), ("b", "ada")])
    assert both is not None
    assert (both.limit, both.remaining) in ((2, 0), (1, 0))
    full = await counter.count([("b", "ada"), ("a", "ada")])
    assert full is not None
    assert not full.allowed
    assert full.limit == 1


async def test_without_a_rule_nothing_is_counted() -> None:
    assert await RateCounter({"a": read_rule("")}).count([("a", "ada"), ("unknown", "ada")]) is None


async def test_refused_requests_do_not_lengthen_the_pause() -> None:
    counts = MemoryCounts()
    assert await counts.acquire_entry("k", 1, 60)
    first = await counts.get_moving_window("k", 1, 60)
    assert not await counts.acquire_entry("k", 1, 60)
    again = await counts.get_moving_window("k", 1, 60)
    assert again[1] == first[1] == 1
    assert again[0] == pytest.approx(first[0], abs=0.5)


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.rates._MAX_KEYS", 10)
    counts = MemoryCounts()
    for number in range(50):
        await counts.acquire_entry(f"k{number}", 1, 60)
    assert await counts.reset() == 10


async def test_while_redis_is_away_the_server_counts_for_itself() -> None:
    """Nothing listens there: neither is everything let through, nor everything refused."""
    counter = RateCounter({"a": read_rule("2/hour")}, shared=RedisCounts("redis://127.0.0.1:1/0"))
    assert [(await take(counter)).allowed for _ in range(3)] == [True, True, False]
    await counter.close()


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_ipv6_counts_by_its_network(address: str, counted: str) -> None:
    assert counted_as(address) == counted


async def test_servers_count_together_in_redis_and_alone_while_it_is_away(redis_server: RedisServer) -> None:
    here, there = (
        RateCounter({"a": read_rule("3/hour")}, shared=RedisCounts(redis_server.url)) for _ in range(2)
    )
    verdicts = [await take(counter) for counter in (here, there, here, there)]
    assert [v.allowed for v in verdicts] == [True, True, True, False]
    assert [v.remaining for v in verdicts] == [2, 1, 0, 0]
    assert 3500 < verdicts[-1].reset_seconds <= 3600

    redis_server.kill()
    assert [(await take(there)).allowed for _ in range(4)] == [True, True, True, False]
    redis_server.start()
    assert not (await take(here)).allowed
    await here.close()
    await there.close()
