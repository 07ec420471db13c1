"""Reads multipart/form-data as it arrives: small fields into memory, the file as a stream that is never kept.

The framework's form parser would spool the whole file to disk before the endpoint runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from app.core.errors import InvalidInputError

MAX_FIELD_BYTES = 32 * 1024  # a hundred terms of a vocabulary in any script
MAX_FIELDS = 50
MAX_HEADER_BYTES = 16 * 1024


@dataclass(slots=True)
class Part:
    """A part of the form; `filename` is None for plain fields."""

    name: str = ""
    filename: str | None = None
    content_type: str | None = None
    headers: dict[bytes, bytes] = field(default_factory=dict)


class FormStream:
    """`fields` fill up while the body is read. `file()` finds the file part, `chunks()` gives its bytes.

    Raises `InvalidInputError` for what is not a form. Fields may stand before or after the file.
    """

    def __init__(self, request: Request, *, lists: Collection[str] = ()) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise InvalidInputError(
                "Send the recording as multipart/form-data with a part named file.", field="file"
            )
        self.fields: dict[str, str] = {}
        self._lists = lists  # fields that may come several times: their values are joined by commas
        self._body = request.stream()
        self._events: list[tuple[str, bytes]] = []
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._part = Part()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": lambda: self._events.append(("begin", b"")),
                    "on_part_data": lambda d, a, b: self._events.append(("data", d[a:b])),
                    "on_part_end": lambda: self._events.append(("end", b"")),
                    "on_header_field": lambda d, a, b: self._events.append(("field", d[a:b])),
                    "on_header_value": lambda d, a, b: self._events.append(("value", d[a:b])),
                    "on_header_end": lambda: self._events.append(("header", b"")),
                    "on_headers_finished": lambda: self._events.append(("headers", b"")),
                    "on_end": lambda: self._events.append(("over", b"")),
                },
            )
        except FormParserError as error:
            raise InvalidInputError("The form's boundary is too long.", field="body") from error
        self._value = bytearray()
        self._finished = False

    async def file(self) -> Part | None:
        """Read on to the next file part, keeping plain fields; None at the end of the form."""
        async for kind, data in self._read():
            if self._collect(kind, data):
                return self._part
        return None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file part that `file` stopped at."""
        async for kind, data in self._read():
            if kind == "data":
                yield data
            elif kind == "end":
                return

    def _collect(self, kind: str, data: bytes) -> bool:
        """Take in one event; True where the headers of a file part are complete."""
        if kind == "begin":
            self._part, self._value, self._header = Part(), bytearray(), (b"", b"")
        elif kind == "field":
            self._header = (self._header[0] + data, self._header[1])
        elif kind == "value":
            self._header = (self._header[0], self._header[1] + data)
        elif kind == "header":
            self._part.headers[self._header[0].lower()] = self._header[1]
            self._header = (b"", b"")
        elif kind == "headers":
            self._read_headers()
            return self._part.filename is not None
        elif kind == "data":
            self._value += data
            if len(self._value) > MAX_FIELD_BYTES:
                raise InvalidInputError("This field is too long.", field=self._part.name)
        elif kind == "end":
            if len(self.fields) >= MAX_FIELDS:
                raise InvalidInputError("The form has too many fields.")
            value, name = self._value.decode("utf-8", "replace"), self._part.name
            if name in self._lists and name in self.fields:
                value = f"{self.fields[name]},{value}"
            self.fields[name] = value
        if len(self._header[0]) + len(self._header[1]) > MAX_HEADER_BYTES:
            raise InvalidInputError("A part of the form has too long a header.")
        return False

    def _read_headers(self) -> None:
        headers = self._part.headers
        _, options = parse_options_header(headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            self._part.filename = options[b"filename"].decode("utf-8", "replace")
        elif self._part.name == "file":
            self._part.filename = ""  # a client that names no file still sends one
        self._part.content_type = headers.get(b"content-type", b"").decode("latin-1") or None

    async def _read(self) -> AsyncIterator[tuple[str, bytes]]:
        while True:
            while self._events:
                kind, data = self._events.pop(0)
                self._finished = self._finished or kind == "over"
                yield kind, data
            try:
                chunk = await anext(self._body)
            except StopAsyncIteration:
                if not self._finished:
                    raise InvalidInputError("The form ends in the middle.", field="file") from None
                return
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise InvalidInputError("The body is not a well-formed form.", field="body") from error
