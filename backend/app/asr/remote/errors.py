"""What can go wrong at a provider, in the codes of docs/api.md; sentences without keys and addresses."""

from __future__ import annotations

import re

from app.core.errors import JobError

FAILED = "provider_failed"
TIMEOUT = "provider_timeout"
REJECTED = "provider_rejected"
UNAUTHORISED = "provider_unauthorised"
DOWN = "provider_down"

KEY_SETTINGS = {"assemblyai": "ASSEMBLYAI_API_KEY", "openai": "OPENAI_API_KEY"}
LONGEST_SENTENCE = 300
_SECRETS = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|key|tok)-[\w*.-]{4,})")
_ADDRESSES = re.compile(r"\bhttps?://\S+")


class ProviderError(JobError):
    """A provider's failure. `retryable`: the same may succeed later. `retry_after` are the seconds the provider asked
    for. `unsure`: the request may have been carried out although no answer came back."""

    def __init__(
        self,
        engine: str,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        unsure: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(code, message, retryable=retryable)
        self.engine = engine
        self.wait_seconds = retry_after
        self.unsure = unsure
        self.http_status = status


def clean(text: str, *secrets: str) -> str:
    """A provider's words as one short line, without the keys it may have been told."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _ADDRESSES.sub("(address)", _SECRETS.sub("***", text))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"


def from_status(
    engine: str, status: int, said: str, *, retry_after: float | None = None, secrets: tuple[str, ...] = ()
) -> ProviderError:
    """The error for an HTTP status that is no success. `said` is the provider's own sentence."""
    words = clean(said, *secrets)
    if status in (401, 403):
        return ProviderError(
            engine,
            UNAUTHORISED,
            f"{engine} refuses this server's key ({status}); the operator must set {KEY_SETTINGS[engine]} to a valid one.",
            status=status,
        )
    if status == 429:
        return ProviderError(
            engine,
            FAILED,
            f"{engine} asks for patience (429): {words}",
            retryable=True,
            retry_after=retry_after,
            status=status,
        )
    if status >= 500 or status == 408:
        return ProviderError(
            engine,
            FAILED,
            f"{engine} failed ({status}): {words}",
            retryable=True,
            retry_after=retry_after,
            unsure=True,
            status=status,
        )
    return ProviderError(engine, REJECTED, f"{engine} refused this ({status}): {words}", status=status)


def timed_out(engine: str) -> ProviderError:
    """No answer in time."""
    return ProviderError(engine, TIMEOUT, f"{engine} did not answer in time.", retryable=True, unsure=True)


def unreachable(engine: str, how: str, *, sent: bool) -> ProviderError:
    """The connection failed; `sent` where the request may have got through."""
    return ProviderError(engine, FAILED, f"{engine} cannot be reached ({how}).", retryable=True, unsure=sent)


def garbage(engine: str) -> ProviderError:
    """An answer that is not what the provider documents."""
    return ProviderError(
        engine, FAILED, f"{engine} gave an answer that makes no sense.", retryable=True, unsure=True
    )


def parse_retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; None where there is none or it is a date, which no provider here sends."""
    try:
        seconds = float(value) if value else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None
