"""The last hop: inside the process that fetches, no socket is opened to an address that is not public.

Names are looked up here and nowhere else, and what they are found to be is checked again when a connection is made to
it, whatever redirect, page or answer of a name server led there.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from app.fetch.addresses import is_public, literal_address


class BlockedAddressError(OSError):
    """An address that is not public was about to be reached."""


class Guard:
    """`permitted` hosts and ports are reached all the same (a proxy, and a test's own server); `hosts` stands for the
    name servers in tests: answers by name, one after the other."""

    def __init__(
        self, permitted: Sequence[tuple[str, int]], hosts: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.blocked: list[str] = []
        self._permitted = {(host, port) for host, port in permitted}
        self._hosts = {name: list(answers) for name, answers in (hosts or {}).items()}
        self._resolve = socket.getaddrinfo

    def install(self) -> None:
        """For the rest of the process's life."""
        real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex
        guard = self

        def connect(self: socket.socket, address: Any) -> None:
            guard.check(self, address)
            real_connect(self, address)

        def connect_ex(self: socket.socket, address: Any) -> int:
            guard.check(self, address)
            return real_connect_ex(self, address)

        def refuse(*_: Any, **__: Any) -> Any:
            raise BlockedAddressError("only connections are made here")

        # The checker is right that methods of the library are replaced here: that is the guard.
        socket.socket.connect = connect  # type: ignore[method-assign, assignment]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
        socket.socket.sendto = refuse  # type: ignore[method-assign]
        socket.socket.bind = refuse  # type: ignore[method-assign]
        socket.getaddrinfo = self.getaddrinfo
        socket.gethostbyname = refuse
        socket.gethostbyname_ex = refuse

    def getaddrinfo(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Public addresses only. Raises `BlockedAddressError` where there are none."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        answers = self._hosts.get(name.rstrip(".").lower())
        if answers:
            name = answers.pop(0) if len(answers) > 1 else answers[0]
        if literal_address(name) is not None and not self._may((name, port)):
            self._note(name)  # also where this machine does not speak its family
        found = self._resolve(name, port, *args, **kwargs)
        public = [one for one in found if self._may(one[4])]
        if not public:
            self._note(host)
        return public

    def check(self, sock: socket.socket, address: Any) -> None:
        """Raises `BlockedAddressError` for everything but public addresses over IP."""
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or not self._may(address):
            self._note(address)

    def _may(self, address: Any) -> bool:
        host, port = str(address[0]), int(address[1] or 0)
        return is_public(host) or (host, port) in self._permitted

    def _note(self, address: Any) -> None:
        self.blocked.append(str(address))
        raise BlockedAddressError(f"{address} is not a public address")
