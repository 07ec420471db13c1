"""AssemblyAI through its SDK: upload, submit, poll, delete. Runs in the server's process; the SDK is imported with the
first job. Its own polling is not used: it has no retry and cannot go on after a restart."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.asr.remote import errors
from app.asr.remote.asking import Patience, ask
from app.asr.remote.breaker import CircuitBreaker
from app.asr.remote.errors import ProviderError
from app.asr.types import AUTO, MIXED, Mode, TranscribeOptions
from app.core.config import CloudSettings

if TYPE_CHECKING:
    from assemblyai import AsyncTranscriber
    from assemblyai.types import TranscriptionConfig, TranscriptResponse

ENGINE = "assemblyai"
SHORT_SECONDS = 60.0  # for requests without audio
LEAST_SECONDS = 3600.0  # a transcript is waited for as long as this and the recording's own length
MAX_TERMS, MAX_WORDS_IN_TERM = 1000, 6  # what keyterms_prompt takes
DELETED = "http://deleted_by_user"  # the audio_url of a transcript that was deleted
LOOK_BACK = 200  # transcripts that are searched for a submission whose answer was lost

T = TypeVar("T")
_retry_after: ContextVar[float | None] = ContextVar("assemblyai_retry_after", default=None)


class AssemblyAI:
    """One provider for the whole process: its client, how many recordings at a time, its circuit."""

    def __init__(
        self, settings: CloudSettings, breaker: CircuitBreaker, patience: Patience | None = None
    ) -> None:
        self._settings = settings
        self._breaker = breaker
        self.patience = patience or Patience()
        self._key = settings.assemblyai_api_key.get_secret_value()
        self._made: AsyncTranscriber | None = None
        self.room = asyncio.Semaphore(settings.cloud_concurrency)

    async def upload(self, source: Path) -> str:
        """Sends the file as it is; answers its address at the provider, which is of no use without the key."""

        async def send(sdk: AsyncTranscriber) -> str:
            # Opened here: the SDK, or a thread, would leave it open where this is cancelled. It is read in threads.
            with source.open("rb") as file:
                return await sdk.upload_file(file)

        return await self._ask(send, self._settings.cloud_timeout_seconds, _text)

    async def submit(self, url: str, model: str | None, options: TranscribeOptions, *, unsure: bool) -> str:
        """The id of the transcript of an upload.

        Where an answer was lost (`unsure` from the start: an earlier process may have submitted it), the provider's
        list is searched for the upload before it is submitted again.
        """
        config = self._config(model, options)

        async def request() -> str:
            nonlocal unsure
            if unsure:
                found = await self._find_once(url)
                if found is not None:
                    return found
            try:
                return await self._once(lambda sdk: sdk.submit(url, config), SHORT_SECONDS, _id)
            except ProviderError as error:
                unsure = unsure or error.unsure
                raise

        return await ask(ENGINE, self._breaker, self.patience, request)

    async def find(self, url: str) -> str | None:
        """The id of the transcript that was made of this upload; None where there is none."""
        return await ask(ENGINE, self._breaker, self.patience, lambda: self._find_once(url))

    async def wait(self, transcript_id: str, audio_ms: int) -> TranscriptResponse:
        """Polls until the transcript is complete. Raises `ProviderError`: `provider_rejected` with the provider's
        sentence where it could not be made, `provider_timeout` after an hour and the recording's length."""
        until = time.monotonic() + LEAST_SECONDS + audio_ms / 1000
        pause = self.patience.poll_first
        while True:
            transcript = await self._ask(lambda sdk: _get(sdk, transcript_id), SHORT_SECONDS, _known)
            status = str(getattr(transcript.status, "value", transcript.status))
            if transcript.audio_url == DELETED:
                raise ProviderError(
                    ENGINE, errors.FAILED, f"{ENGINE} has deleted the text.", retryable=True, status=404
                )
            if status == "completed":
                return transcript
            if status == "error":
                said = errors.clean(transcript.error or "no reason given", self._key)
                raise ProviderError(
                    ENGINE, errors.REJECTED, f"{ENGINE} could not transcribe this recording: {said}"
                )
            if time.monotonic() > until:
                raise errors.timed_out(ENGINE)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)
            pause = min(pause * 1.3, self.patience.poll_most)

    async def delete(self, transcript_id: str) -> None:
        """Has the provider drop text and upload; one that it does not know is as good. Raises `ProviderError`."""
        try:
            await self._ask(lambda sdk: sdk.delete_by_id(transcript_id), SHORT_SECONDS, _anything)
        except ProviderError as error:
            if error.http_status != 404:
                raise

    async def close(self) -> None:
        """Ends the connections."""
        if self._made is not None:
            await self._made.client.aclose()

    async def _find_once(self, url: str) -> str | None:
        from assemblyai.types import ListTranscriptParameters

        page = await self._once(
            lambda sdk: sdk.list_transcripts(ListTranscriptParameters(limit=LOOK_BACK)),
            SHORT_SECONDS,
            _anything,
        )
        return next((item.id for item in page.transcripts if item.audio_url == url), None)

    async def _ask(
        self,
        send: Callable[[AsyncTranscriber], Awaitable[Any]],
        seconds: float,
        read: Callable[[Any], T],
    ) -> T:
        """One request, again where that may help."""
        return await ask(ENGINE, self._breaker, self.patience, lambda: self._once(send, seconds, read))

    async def _once(
        self,
        send: Callable[[AsyncTranscriber], Awaitable[Any]],
        seconds: float,
        read: Callable[[Any], T],
    ) -> T:
        """One request through the SDK; its errors, and answers that `read` cannot make sense of, as ours."""
        import httpx
        from assemblyai.types import AssemblyAIError

        sdk = self._sdk()
        _retry_after.set(None)
        try:
            async with asyncio.timeout(min(seconds, self._settings.cloud_timeout_seconds)):
                return read(await send(sdk))
        except (TimeoutError, httpx.TimeoutException):
            raise errors.timed_out(ENGINE) from None
        except AssemblyAIError as error:
            if error.status_code is None:
                raise errors.garbage(ENGINE) from None
            raise errors.from_status(
                ENGINE,
                error.status_code,
                _said(error),
                retry_after=_retry_after.get(),
                secrets=(self._key,),
            ) from None
        except httpx.HTTPError as error:
            sent = not isinstance(error, httpx.ConnectError)
            raise errors.unreachable(ENGINE, type(error).__name__, sent=sent) from None
        except OSError:
            raise  # the recording itself cannot be read
        except (ValueError, KeyError, TypeError, AttributeError):  # no JSON, or of another shape
            raise errors.garbage(ENGINE) from None

    def _config(self, model: str | None, options: TranscribeOptions) -> TranscriptionConfig:
        """The job's options in the provider's words. A hint in prose and a list of terms exclude each other there:
        the terms are taken."""
        from assemblyai.types import LanguageDetectionOptions, SpeakerOptions, TranscriptionConfig

        models = list(self._settings.assemblyai_speech_models)
        if model is not None:
            models = [model, *(other for other in models if other != model)]
        asked: dict[str, Any] = {"speech_models": models}
        if options.language in (AUTO, MIXED):
            asked["language_detection"] = True
            if options.language == MIXED:
                asked["language_detection_options"] = LanguageDetectionOptions(code_switching=True)
        else:
            asked["language_code"] = options.language
        if options.mode is Mode.DIALOGUE:
            asked["speaker_labels"] = True
            if options.speakers is not None or options.max_speakers is not None:
                asked["speaker_options"] = SpeakerOptions(
                    min_speakers_expected=options.speakers,
                    max_speakers_expected=options.speakers or options.max_speakers,
                )
        terms = [term for term in options.vocabulary if len(term.split()) <= MAX_WORDS_IN_TERM]
        if terms:
            asked["keyterms_prompt"] = terms[:MAX_TERMS]
        elif options.prompt:
            asked["prompt"] = options.prompt
        return TranscriptionConfig(**asked)

    def _sdk(self) -> AsyncTranscriber:
        if self._made is None:
            from assemblyai import AsyncClient, AsyncTranscriber, Settings

            client = AsyncClient(
                settings=Settings(
                    api_key=self._key,
                    base_url=self._settings.assemblyai_base_url,
                    http_timeout=self._settings.cloud_timeout_seconds,
                )
            )
            client.http_client.event_hooks["response"].append(_note_retry_after)
            self._made = AsyncTranscriber(client=client)
        return self._made


async def _note_retry_after(response: Any) -> None:
    """The SDK's errors do not carry headers; the hook runs in the task of the request."""
    _retry_after.set(errors.parse_retry_after(response.headers.get("retry-after")))


async def _get(sdk: AsyncTranscriber, transcript_id: str) -> TranscriptResponse:
    """The transcript as it is now; the SDK's `get_by_id` would poll to the end."""
    from assemblyai.prerecorded.v2 import async_api

    return await async_api.get_transcript(sdk.client.http_client, transcript_id)


def _id(transcript: Any) -> str:
    return _text(transcript.id)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value


def _known(transcript: TranscriptResponse) -> TranscriptResponse:
    return transcript


def _anything(value: Any) -> Any:
    return value


def _said(error: Exception) -> str:
    """The provider's own sentence in an error: after the SDK's words, before its notes on the request."""
    text = str(error).partition(": ")[2] or str(error)
    return text.partition("\nRequest:")[0].replace("Reason:", "").strip()
