"""What the models of OpenAI and of compatible servers take and give. Sources: the types of the SDK 3.54 (its notes on
each parameter) and OpenAI's list of shutdowns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit

from app.asr.types import Notice

MIB = 1024 * 1024
WARN_BEFORE = timedelta(days=90)
_SHUTDOWN = date(2027, 2, 26)  # announced for every model of its time but gpt-transcribe


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One model. `window_ms` is how much audio goes into one request, `max_bytes` and `max_seconds` are the provider's
    limits for it (None: not told). `known_speakers` is how many voices may be shown to it beforehand.

    `formats` are the response formats to ask for, the richest first: what a server refuses is asked for again as the
    next one. `segments` and `words` say whether the richest has times; without them a text is spread over the
    speech of its window, so that one is short.
    """

    name: str
    window_ms: int
    formats: tuple[str, ...]
    words: bool = False
    segments: bool = False
    speakers: bool = False
    prompt: bool = True
    keywords: bool = False
    languages: bool = False
    translates: bool = False
    chunking: bool = False
    known_speakers: int = 0
    max_bytes: int | None = 25 * MIB
    max_seconds: int | None = None
    retires_on: date | None = None


# 600 s of 16 kHz mono are 18.3 MiB as bare samples: FLAC stays under 25 MiB whatever is in them.
_TIMED_MS = 600_000
_UNTIMED_MS = 60_000  # no times in the answer: a short window keeps the guess near
_DIARIZED_MS = 1_380_000  # the limit is 1400 s

_MODELS = (
    RemoteModel(
        "whisper-1",
        _TIMED_MS,
        ("verbose_json",),
        words=True,
        segments=True,
        translates=True,
        retires_on=_SHUTDOWN,
    ),
    RemoteModel("gpt-transcribe", _UNTIMED_MS, ("json",), keywords=True, languages=True, max_seconds=1400),
    RemoteModel("gpt-4o-transcribe", _UNTIMED_MS, ("json",), max_seconds=1400, retires_on=_SHUTDOWN),
    RemoteModel("gpt-4o-mini-transcribe", _UNTIMED_MS, ("json",), max_seconds=1400, retires_on=_SHUTDOWN),
    RemoteModel(
        "gpt-4o-mini-transcribe-2025-12-15", _UNTIMED_MS, ("json",), max_seconds=1400, retires_on=_SHUTDOWN
    ),
    RemoteModel(
        "gpt-4o-transcribe-diarize",
        _DIARIZED_MS,
        ("diarized_json",),
        segments=True,
        speakers=True,
        prompt=False,
        chunking=True,
        known_speakers=4,
        max_bytes=None,
        max_seconds=1400,
        retires_on=_SHUTDOWN,
    ),
)
OPENAI_MODELS = {model.name: model for model in _MODELS}


def remote_model(name: str, base_url: str) -> RemoteModel:
    """The model as it is at this address. Of a compatible server nothing is known: the whole answer is asked for
    first and less where that is refused, in windows as short as those without times."""
    known = OPENAI_MODELS.get(name)
    if known is not None and is_openai(base_url):
        return known
    return RemoteModel(
        name,
        _UNTIMED_MS,
        known.formats if known is not None and known.speakers else ("verbose_json", "json"),
        words=True,
        segments=True,
        speakers=known is not None and known.speakers,
        translates=known is None or known.translates,
        chunking=known is not None and known.chunking,
        prompt=known is None or known.prompt,
    )


def is_openai(base_url: str) -> bool:
    """Whether this is OpenAI's own service, the only one whose shutdowns are known."""
    host = urlsplit(base_url).hostname or "" if base_url else "api.openai.com"
    return host == "openai.com" or host.endswith(".openai.com")


def retirement_refusal(model: RemoteModel, today: date) -> str | None:
    """Why a model cannot be asked any more; None while it lives."""
    if model.retires_on is None or today < model.retires_on:
        return None
    return (
        f"OpenAI shut the model {model.name} down on {model.retires_on}; set OPENAI_MODEL to one that it still offers, "
        "as gpt-transcribe"
    )


def retirement_notice(model: RemoteModel, today: date) -> Notice | None:
    """The warning `model_retires`, in the last 90 days of a model."""
    if model.retires_on is None or not model.retires_on - WARN_BEFORE <= today < model.retires_on:
        return None
    return Notice(
        "model_retires",
        f"OpenAI shuts the model {model.name} down on {model.retires_on}. Set OPENAI_MODEL to another one before.",
    )
