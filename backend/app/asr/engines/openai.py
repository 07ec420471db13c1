"""OpenAI's transcription, or that of any compatible server, through the SDK. Runs in the server's process, one request
a window; the SDK is imported with the first one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.asr.remote import errors, flac
from app.asr.remote.asking import Patience, ask
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.errors import ProviderError
from app.asr.remote.openai_answers import window_result
from app.asr.remote.openai_models import MIB, RemoteModel, remote_model
from app.asr.types import Window, WindowOptions, WindowResult
from app.core.config import CloudSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI

ENGINE = "openai"
OWN_ADDRESS = "https://api.openai.com/v1"
CONNECT_SECONDS = 10.0
REFUSES_FORMAT = frozenset({400, 415, 422})
MAX_PROMPT = 800  # characters: Whisper keeps the last 224 tokens


class OpenAI:
    """One provider for the whole process: its client, how many requests at a time, its circuit."""

    def __init__(
        self, settings: CloudSettings, breaker: CircuitBreaker, patience: Patience | None = None
    ) -> None:
        self._settings = settings
        self._breaker = breaker
        self.patience = patience or Patience()
        self._room = asyncio.Semaphore(settings.cloud_concurrency)
        self._key = settings.openai_api_key.get_secret_value()
        self._made: AsyncOpenAI | None = None
        self._format: dict[str, int] = {}  # model -> the richest format that this server takes

    def model(self, name: str | None) -> RemoteModel:
        """What is known of a model at the configured address; the default one for None."""
        return remote_model(name or self._settings.openai_model, self._settings.openai_base_url)

    async def hear(
        self,
        model: RemoteModel,
        pcm: bytes,
        window: Window,
        options: WindowOptions,
        known: Mapping[str, str] | None = None,
    ) -> WindowResult:
        """The text of one window (`pcm`: 16 kHz mono int16). `known` holds samples of voices by label, as data URLs.
        Raises `ProviderError`."""
        began = time.monotonic()
        async with self._room:
            audio = await asyncio.to_thread(flac.encode, pcm)
            if model.max_bytes is not None and len(audio) > model.max_bytes:
                raise ProviderError(
                    ENGINE,
                    errors.REJECTED,
                    f"A window of {len(audio) // MIB} MiB is larger than {model.name} takes.",
                )
            result = await self._richest(model, audio, window, options, known or {})
        return WindowResult(
            result.segments,
            "en" if options.translate else result.language or options.language,
            engine_ms=round((time.monotonic() - began) * 1000),
        )

    async def close(self) -> None:
        """Ends the connections."""
        if self._made is not None:
            await self._made.close()

    async def _richest(
        self,
        model: RemoteModel,
        audio: bytes,
        window: Window,
        options: WindowOptions,
        known: Mapping[str, str],
    ) -> WindowResult:
        """The answer in the richest format the server takes; what it refuses is not asked for again."""
        while True:
            at = self._format.get(model.name, 0)
            try:
                return await ask(
                    ENGINE,
                    self._breaker,
                    self.patience,
                    lambda at=at: self._once(model, model.formats[at], audio, window, options, known),  # type: ignore[misc]
                )
            except ProviderError as error:
                poorer = at + 1
                if error.http_status not in REFUSES_FORMAT or poorer >= len(model.formats):
                    raise
                self._format[model.name] = max(poorer, self._format.get(model.name, 0))

    async def _once(
        self,
        model: RemoteModel,
        answer_format: str,
        audio: bytes,
        window: Window,
        options: WindowOptions,
        known: Mapping[str, str],
    ) -> WindowResult:
        answer = await self._call(lambda: self._send(model, answer_format, audio, options, known))
        try:
            return window_result(answer, window)
        except ValueError:
            raise errors.garbage(ENGINE) from None

    async def _send(
        self,
        model: RemoteModel,
        answer_format: str,
        audio: bytes,
        options: WindowOptions,
        known: Mapping[str, str],
    ) -> Any:
        """One request through the SDK; the answer's JSON, unchecked."""
        client = self._client()
        asked: dict[str, Any] = {
            "file": ("audio.flac", audio, "audio/flac"),
            "model": model.name,
            "response_format": answer_format,
            **hints(model, options),
        }
        if options.attempt:
            asked["temperature"] = min(1.0, 0.2 * options.attempt)
        if options.translate:
            raw = await client.audio.translations.with_raw_response.create(**asked)
            return raw.http_response.json()
        if answer_format == "verbose_json":
            asked["timestamp_granularities"] = ["word", "segment"]
        if model.chunking:
            asked["chunking_strategy"] = "auto"
        if known:
            asked["known_speaker_names"] = list(known)
            asked["known_speaker_references"] = list(known.values())
        if options.language is not None and len(options.language) == 2:
            asked |= {"languages": [options.language]} if model.languages else {"language": options.language}
        raw = await client.audio.transcriptions.with_raw_response.create(**asked)
        return raw.http_response.json()

    async def _call(self, send: Callable[[], Awaitable[Any]]) -> Any:
        """The SDK's errors as ours."""
        import openai

        try:
            async with asyncio.timeout(self._settings.cloud_timeout_seconds):
                return await send()
        except (TimeoutError, openai.APITimeoutError):
            raise errors.timed_out(ENGINE) from None
        except openai.APIStatusError as error:
            raise errors.from_status(
                ENGINE,
                error.status_code,
                _said(error),
                retry_after=errors.parse_retry_after(error.response.headers.get("retry-after")),
                secrets=(self._key,),
            ) from None
        except openai.APIConnectionError as error:
            how = type(error.__cause__ or error).__name__
            raise errors.unreachable(ENGINE, how, sent=not how.startswith("Connect")) from None
        except (openai.OpenAIError, ValueError):  # no JSON, or of another shape than the SDK expects
            raise errors.garbage(ENGINE) from None

    def _client(self) -> AsyncOpenAI:
        if self._made is None:
            from openai import AsyncOpenAI, Timeout

            seconds = self._settings.cloud_timeout_seconds
            self._made = AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self._settings.openai_base_url or OWN_ADDRESS,
                max_retries=0,  # ours are counted, and know the circuit
                timeout=Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            )
        return self._made


def hints(model: RemoteModel, options: WindowOptions) -> dict[str, Any]:
    """Vocabulary and style in the parameters that the model has for them."""
    found: dict[str, Any] = {}
    vocabulary: Sequence[str] = options.vocabulary
    if model.keywords and vocabulary and not options.translate:
        found["keywords"] = list(vocabulary)
        vocabulary = ()
    if model.prompt:
        prompt = " ".join(part for part in (", ".join(vocabulary), options.prompt) if part)
        if prompt:
            found["prompt"] = prompt[-MAX_PROMPT:]
    return found


def _said(error: Any) -> str:
    """The provider's own sentence in an error, without the SDK's wrapping."""
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else str(error.message)
