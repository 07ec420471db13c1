"""Row 44: wherever a webhook points and whatever answers, nothing private is reached and nobody is held up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from app.core.errors import AppError
from app.db.session import Database
from app.fetch import check_target
from app.fetch.addresses import is_private_target
from app.fetch.outgoing import MAX_BODY, OutgoingDoor, UnreachableError
from app.models.webhooks import DeliveryState
from tests.fixtures.jobs import add_workspace
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import build_post
from tests.security.test_links import HOSTS, SPELLINGS

NAMES = {
    "private.example.org": ["127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "mapped.example.org": ["::ffff:127.0.0.1"],
    "six.example.org": ["::1"],
    "lan.example.org": ["192.168.1.10", "10.1.1.1"],
    "cgnat.example.org": ["100.64.0.1"],
    "nat64.example.org": ["64:ff9b::7f00:1"],
    "nothing.example.org": ["0.0.0.0"],
}


async def by_table(host: str, _port: int) -> Sequence[str]:
    return NAMES[host]


# Names are judged by what they are found to be, when a delivery is made: below.
@pytest.mark.parametrize("spelling", [s for s in SPELLINGS if not any(f"//{name}" in s for name in HOSTS)])
def test_row_44_no_spelling_of_a_private_address_becomes_an_endpoint(spelling: str) -> None:
    with pytest.raises(AppError) as refused:
        check_target(spelling.format(port=80))
    assert (refused.value.status, refused.value.code) == (422, "url_not_allowed")


@pytest.mark.parametrize("host", NAMES)
async def test_row_44_names_of_private_addresses_are_not_connected_to(host: str, receiver: Receiver) -> None:
    door = OutgoingDoor(resolve=by_table)
    with pytest.raises(UnreachableError, match="not public"):
        await door.post(f"http://{host}:{receiver.port}/", [], b"{}")
    assert receiver.calls == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
)
async def test_row_44_nor_addresses_that_came_past_the_check(host: str, receiver: Receiver) -> None:
    with pytest.raises(UnreachableError):
        await OutgoingDoor().post(f"http://{host}:{receiver.port}/", [], b"{}")
    assert receiver.calls == 0


async def test_row_44_a_name_is_looked_up_once_and_that_answer_is_connected_to(receiver: Receiver) -> None:
    """A name server that says something else at the second question is not asked a second time."""
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

    door = OutgoingDoor(private=True, resolve=rebinding)
    answer = await door.post(f"http://hook.example.org:{receiver.port}/x", [("webhook-id", "i")], b"{}")
    assert (answer.status, asked) == (200, ["hook.example.org"])
    assert receiver.got[0].headers["host"] == f"hook.example.org:{receiver.port}"


async def test_row_44_of_several_addresses_only_those_that_may_be_reached(receiver: Receiver) -> None:
    async def mixed(_host: str, _port: int) -> Sequence[str]:
        return ["169.254.169.254", "224.0.0.1", "127.0.0.1"]

    answer = await OutgoingDoor(private=True, resolve=mixed).post(
        f"http://hook.example.org:{receiver.port}/", [], b"{}"
    )
    assert answer.status == 200


def test_private_targets_are_named_networks_without_the_addresses_of_clouds() -> None:
    for address in (
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.20.0.1",
        "100.64.0.1",
        "::1",
        "fd12::1",
        "::ffff:10.0.0.1",
    ):
        assert is_private_target(address), address
    for address in (
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "8.8.8.8",
        "name",
    ):
        assert not is_private_target(address), address


def test_with_private_targets_links_are_still_looked_at() -> None:
    assert check_target("http://127.0.0.1:9/x", private=True) == "http://127.0.0.1:9/x"
    assert check_target("http://n8n:5678/hook", private=True)
    for url in (
        "ftp://127.0.0.1/",
        "http://u:p@127.0.0.1/",
        "http://169.254.169.254/",
        "http://0/",
        "file:///x",
        "",
    ):
        with pytest.raises(AppError):
            check_target(url, private=True)
    with pytest.raises(AppError, match="https"):
        check_target("http://example.org/", https_only=True)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for _ in range(1600):  # 100 MB
        writer.write(block)
        await writer.drain()


async def test_row_44_a_huge_answer_is_cut(receiver: Receiver) -> None:
    receiver.script = endless
    answer = await OutgoingDoor(private=True).post(receiver.url, [], b"{}")
    assert (answer.status, len(answer.body)) == (200, MAX_BODY)


async def test_row_44_a_dripping_body_is_not_waited_for(receiver: Receiver) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    receiver.script = drip
    async with asyncio.timeout(30):
        answer = await OutgoingDoor(private=True).post(receiver.url, [], b"{}")
    assert answer.status == 200
    assert 0 < len(answer.body) < 1000


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX: "])
async def test_row_44_dripping_or_missing_headers_end_at_the_deadline(
    receiver: Receiver, first: bytes
) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            if first:
                writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    receiver.script = drip
    with pytest.raises(UnreachableError):
        async with asyncio.timeout(30):
            await OutgoingDoor(private=True, deadline=0.5).post(receiver.url, [], b"{}")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"\xff" * 5000,
    ],
)
async def test_row_44_what_is_no_http_is_a_failure_and_no_crash(receiver: Receiver, answer: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    receiver.script = say
    with pytest.raises(UnreachableError):
        await OutgoingDoor(private=True).post(receiver.url, [], b"{}")


async def test_a_closed_port_and_an_unknown_name_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match="no connection"):
        await OutgoingDoor(private=True).post(f"http://127.0.0.1:{port}/", [], b"{}")

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(UnreachableError, match="name was not found"):
        await OutgoingDoor(resolve=unknown).post("http://no.example.org/", [], b"{}")


async def test_row_44_a_delivery_to_a_private_address_fails_and_says_why(
    database: Database, receiver: Receiver
) -> None:
    """Switched to private by the name server after the endpoint was made."""
    post = build_post(database, OutgoingDoor(resolve=by_table))
    workspace = await add_workspace(database)
    await post.endpoint(workspace, f"http://private.example.org:{receiver.port}/")
    await post.tell(workspace)
    await post.sender.run_once()
    delivery = (await post.deliveries())[0]
    assert (delivery.state, delivery.last_error) == (DeliveryState.PENDING, "the address is not public")
    assert receiver.calls == 0


async def test_row_44_what_a_receiver_answers_is_kept_as_short_plain_text(
    database: Database, receiver: Receiver
) -> None:
    async def ugly(writer: asyncio.StreamWriter) -> None:
        body = b"\x1b[2J<script>\x00\xff" + "é".encode() * 5000
        writer.write(b"HTTP/1.1 500 X\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    receiver.script = ugly
    post = build_post(database)
    workspace = await add_workspace(database)
    await post.endpoint(workspace, receiver.url)
    await post.tell(workspace)
    await post.sender.run_once()
    text = (await post.attempts())[0].response
    assert len(text) == 1000
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "<script>" in text
