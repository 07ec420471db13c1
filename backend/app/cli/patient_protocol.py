"""uvicorn's HTTP protocol with an end to its patience: it has none for headers, bodies and answers nobody reads.

Bodies that the application reads end earlier, with an answer (`app.api.edges.slow_bodies`); here are those it does not
read any more. WebSockets have their own pings from the handshake on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core.logging import get_logger
from app.core.patience import Patience

log = get_logger(__name__)

HEADER_SECONDS = 10.0
BODY_SECONDS = 25.0
READER_SECONDS = 15.0
LISTENER_SECONDS = 120.0  # players stop reading while they are paused; only signed addresses lead there
CHECK_SECONDS = 2.0
MAX_HEADER_BYTES = 64 * 1024
_UNSENT_BYTES = 128 * 1024  # more is not put into the kernel, so that it shows whether somebody reads
_MEDIA = "/api/store/objects/"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HeadersTooLargeError(Exception):
    """Tells the parser to stop; the client gets a 400."""


class PatientProtocol(HttpToolsProtocol):
    """Three clocks, of which each runs only while its side keeps the server waiting."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_headers, self._begun = True, False
        self._header_bytes = self._parsed_bytes = self._messages = 0
        self._headers_clock: asyncio.TimerHandle | None = None
        self._body_clock: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None
        self._body_patience = Patience()
        self._write_patience = Patience()
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with suppress(OSError):  # a socket file
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        self._headers_clock = self.loop.call_later(HEADER_SECONDS, self._headers_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clocks()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._stop_clocks()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        before = self._messages
        if self._in_headers:
            self._header_bytes += len(data)
        super().data_received(data)
        if not self._in_headers or self.transport.is_closing():
            return
        if self._header_bytes > MAX_HEADER_BYTES:
            self.send_400_response("Request headers are too large.")
        elif self._headers_clock is None and (self._begun or self._messages == before):
            self._headers_clock = self.loop.call_later(HEADER_SECONDS, self._headers_late)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun, self._parsed_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._parsed_bytes += len(name) + len(value)
        if self._parsed_bytes + len(self.url) > MAX_HEADER_BYTES:
            raise HeadersTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._headers_clock = _stop(self._headers_clock)
        if not self.flow.write_paused:
            self._write_clock = _stop(self._write_clock)  # it watched the end of an earlier answer
        self._in_headers, self._begun, self._header_bytes = False, False, 0
        self._body_patience = Patience(BODY_SECONDS)
        self._body_clock = _stop(self._body_clock)
        self._body_clock = self.loop.call_later(CHECK_SECONDS, self._check_body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_patience.came(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_clock = _stop(self._body_clock)
        self._in_headers = True
        self._messages += 1
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.get_write_buffer_size() > 0:
            self._watch_writing()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._write_clock = _stop(self._write_clock)
        super().resume_writing()

    def _headers_late(self) -> None:
        self._headers_clock = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:  # the request before it still runs
            self._headers_clock = self.loop.call_later(HEADER_SECONDS, self._headers_late)
            return
        self._note("headers")
        if self._header_bytes:
            self.transport.write(_TOO_SLOW)
        self.transport.close()  # in silence where nothing came: browsers open connections to have them ready

    def _check_body(self) -> None:
        self._body_clock = None
        if not self.flow.read_paused:  # else it is the application that takes its time
            self._body_patience.waited(CHECK_SECONDS)
        if self._body_patience.left <= 0:
            self._note("body")
            self._break_off()
        else:
            self._body_clock = self.loop.call_later(CHECK_SECONDS, self._check_body)

    def _watch_writing(self) -> None:
        if self._write_clock is None:
            media = self.scope is not None and self.scope.get("path", "").startswith(_MEDIA)
            self._write_patience = Patience(LISTENER_SECONDS if media else READER_SECONDS)
            self._unsent = self.transport.get_write_buffer_size()
            self._write_clock = self.loop.call_later(CHECK_SECONDS, self._check_writing)

    def _check_writing(self) -> None:
        self._write_clock = None
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0:
            return
        self._write_patience.waited(CHECK_SECONDS)
        self._write_patience.came(max(0, self._unsent - unsent))
        if self._write_patience.left <= 0:
            self._note("reader")
            self._break_off()
            return
        self._unsent = unsent
        self._write_clock = self.loop.call_later(CHECK_SECONDS, self._check_writing)

    def _break_off(self) -> None:
        """At once: else the kernel would go on offering what it holds."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _stop_clocks(self) -> None:
        self._headers_clock = _stop(self._headers_clock)
        self._body_clock = _stop(self._body_clock)
        self._write_clock = _stop(self._write_clock)

    def _note(self, waited_for: str) -> None:
        log.debug("slow_client_closed", waited_for=waited_for, client=self.client[0] if self.client else "")


def _stop(clock: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if clock is not None:
        clock.cancel()
    return None
