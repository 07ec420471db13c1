"""One POST to an address that somebody else has chosen.

The name is looked up once, what it is found to be is checked, and the connection is made to that address: no second
answer of a name server, no redirect, no proxy of the environment comes in between. Whatever the other side does, it
takes at most `DEADLINE` and `MAX_BODY`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpcore2
import httpx2

from app.fetch.addresses import is_private_target, is_public, literal_address
from app.fetch.guard import BlockedAddressError

CONNECT_SECONDS = 5.0
DEADLINE = 15.0
BODY_SECONDS = 2.0  # once there is a status, its text is worth no more
MAX_BODY = 64 << 10
_ADDRESSES = 3  # of a name, one after the other

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class UnreachableError(Exception):
    """No answer; the message says why, in words for the one whose address it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the beginning of it, at most `MAX_BODY` bytes, as it came."""

    status: int
    retry_after: str | None
    body: bytes


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, in the system's order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class OutgoingDoor:
    """`private`: addresses of this machine and its network are reached, too; link-local and odd ones never are."""

    def __init__(
        self, *, private: bool = False, deadline: float = DEADLINE, resolve: Resolve = resolve
    ) -> None:
        self._private = private
        self._deadline = deadline
        self._resolve = resolve

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()

    async def post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """Raises `UnreachableError`."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(url, headers, body)
        except TimeoutError:
            raise UnreachableError(f"no answer within {self._deadline:g} s") from None
        except BlockedAddressError:
            raise UnreachableError("the address is not public") from None
        except socket.gaierror:
            raise UnreachableError("the name was not found") from None
        except (httpcore2.ConnectTimeout, httpcore2.ReadTimeout, httpcore2.WriteTimeout):
            raise UnreachableError("no answer in time") from None
        except httpcore2.ConnectError as error:
            raise UnreachableError(f"no connection: {_reason(error)}") from None
        except (httpcore2.ProtocolError, httpcore2.NetworkError, OSError, ValueError) as error:
            raise UnreachableError(f"the connection broke: {_reason(error)}") from None

    async def _post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        async with (
            httpcore2.AsyncConnectionPool(
                ssl_context=self._tls if url.startswith("https:") else None,
                max_connections=1,
                http1=True,
                http2=False,
                network_backend=_Pinned(self._addresses),
            ) as pool,
            pool.stream(
                "POST",
                url,
                headers=[*headers, ("Content-Length", str(len(body)))],
                content=body,
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": self._deadline}},
            ) as answer,
        ):
            told = {name.lower(): value for name, value in answer.headers}
            retry_after = told.get(b"retry-after")
            text = None if retry_after is None else retry_after.decode("latin-1")[:100]
            return Answer(answer.status, text, await _beginning(answer))

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Those that may be reached. Raises `BlockedAddressError` where there are none."""
        literal = literal_address(host)
        found = [literal] if literal is not None else await self._resolve(host, port)
        allowed = [one for one in found if is_public(one) or (self._private and is_private_target(one))]
        if not allowed:
            raise BlockedAddressError(f"{host} is not a public address")
        return allowed[:_ADDRESSES]


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that were checked. Certificates are still checked for the name."""

    def __init__(self, addresses: Callable[[str, int], Awaitable[list[str]]]) -> None:
        self._addresses = addresses
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception = OSError("no address")
        for address in await self._addresses(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


async def _beginning(answer: httpcore2.Response) -> bytes:
    """What comes of the body in time. What was received stays, however the rest ends."""
    got = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in answer.aiter_stream():
                got += chunk
                if len(got) >= MAX_BODY:
                    break
    except (TimeoutError, httpcore2.ProtocolError, httpcore2.NetworkError, httpcore2.ReadTimeout):
        pass
    return bytes(got[:MAX_BODY])


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
