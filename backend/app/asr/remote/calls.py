"""Where calls to a provider are written down, before and after they are made: a restart knows what was begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4


@dataclass(slots=True)
class Call:
    """One piece of work at a provider. `upload_url` is where the provider put the recording, `provider_id` its name
    for the work; with neither, nothing is known to be there."""

    id: UUID
    upload_url: str | None = None
    provider_id: str | None = None


class Calls(Protocol):
    """The calls of one job. Each method has made its fact durable when it returns."""

    async def begin(self, window: int, audio_ms: int) -> Call:
        """The call for a window: one that is under way, or a new one that the limits of the day allow.

        Raises JobError `cloud_limit`, `cloud_spend_limit`.
        """

    async def uploaded(self, call: Call, url: str) -> None:
        """The recording is at the provider."""

    async def submitted(self, call: Call, provider_id: str) -> None:
        """The provider has taken the work."""

    async def done(self, call: Call, model: str | None) -> None:
        """The text is here, made by `model`."""

    async def failed(self, call: Call, message: str) -> None:
        """It is over without a text; a later try is a new call."""


class MemoryCalls:
    """Keeps calls in memory: for tests and for programs without a database."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.open: dict[int, Call] = {}
        self.failures: list[str] = []
        self.models: list[str | None] = []

    async def begin(self, window: int, audio_ms: int) -> Call:  # noqa: ARG002 (no limits here)
        if window not in self.open:
            self.begun.append(window)
            self.open[window] = Call(uuid4())
        return self.open[window]

    async def uploaded(self, call: Call, url: str) -> None:
        call.upload_url = url

    async def submitted(self, call: Call, provider_id: str) -> None:
        call.provider_id = provider_id

    async def done(self, call: Call, model: str | None) -> None:
        self.models.append(model)
        self._close(call)

    async def failed(self, call: Call, message: str) -> None:
        self.failures.append(message)
        self._close(call)

    def _close(self, call: Call) -> None:
        self.open = {window: other for window, other in self.open.items() if other is not call}
