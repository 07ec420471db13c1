"""Jobs and their text on the wire (docs/api.md, Jobs). Positions and durations are integer milliseconds."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.asr.types import Mode, Vad
from app.models import JobStatus, SpeakerState
from app.schemas.common import KeptText, Line

Language = Annotated[
    str,
    StringConstraints(pattern=r"^(auto|mixed|[a-z]{2,3})$"),
    Field(
        description="Language code as Whisper knows it (en, de, ru, yue); auto finds it out once, mixed in every part."
    ),
]
EngineName = Annotated[
    Literal["auto", "whisper_cpp", "faster_whisper", "mlx", "assemblyai", "openai", "pocketsphinx", "stub"],
    Field(description="An engine by name; auto, or nothing, leaves the choice to the server."),
]
ModelName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9._-]*$"),
    Field(description="A model of the catalogue by name (transcribe models list)."),
]


Term = Annotated[Line, Field(min_length=1, max_length=60)]


def _count(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("is a number of people, not true or false")
    return value


SpeakerCount = Annotated[int, BeforeValidator(_count), Field(ge=1, le=32)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobOptionsIn(_Closed):
    """How a recording is to be transcribed."""

    language: Language | None = Field(None, description="Nothing: that of the workspace's settings.")
    mode: Mode | None = Field(None, description="Nothing: that of the workspace's settings.")
    vad: Vad = Field(Vad.AUTO, description="auto finds speech first; off takes fixed windows of 30 s.")
    translate: bool = Field(False, description="Write the text in English whatever is spoken.")
    vocabulary: list[Term] = Field([], max_length=100, description="Names and terms to expect.")
    prompt: KeptText = Field(
        "", max_length=1000, description="A text in the style and spelling that is wanted."
    )
    speakers: SpeakerCount | None = Field(None, description="How many speak, in dialogue, where it is known.")
    max_speakers: SpeakerCount | None = Field(None, description="How many speak at most, in dialogue.")
    fresh: bool = Field(False, description="Listen again even where the text of these bytes is stored.")
    engine: EngineName | None = None
    model: ModelName | None = None

    @field_validator("max_speakers")
    @classmethod
    def _enough(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value < (info.data.get("speakers") or 0):
            raise ValueError("is less than the number of speakers")
        return value


class JobCreate(JobOptionsIn):
    """A transcription of a file that was uploaded before, or of the recording at a link: one of the two."""

    file_id: UUID | None = None
    url: KeptText | None = Field(None, max_length=2048, description="A recording, or a page with one.")
    playlist: bool = Field(False, description="With url: each recording of a playlist becomes a job.")

    @model_validator(mode="after")
    def _one_source(self) -> JobCreate:
        if (self.file_id is None) == (self.url is None):
            raise ValueError("name either file_id or url")
        return self


class JobRetry(_Closed):
    """Run again; with another engine or model where one is named."""

    engine: EngineName | None = None
    model: ModelName | None = None


class GapsRetry(_Closed):
    """Which gap to listen to again; all of them where neither is given."""

    start_ms: int | None = Field(None, ge=0)
    end_ms: int | None = Field(None, ge=0)


class SpeakersRetry(_Closed):
    """Tell the speakers apart again; the number asked for replaces the job's."""

    speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None


class SpeakerName(_Closed):
    """An empty name takes the name away again."""

    name: Annotated[Line, Field(max_length=100)]


class Notice(BaseModel):
    code: str
    message: str


class JobFailure(Notice):
    """Why a job failed, or waits for another try. A quarantined one also says where and what to do."""

    window: int | None = Field(None, description="Where it happened: the window's number, from 0.")
    log_tail: str | None = Field(None, description="The last that the engine's process wrote; without paths.")
    advice: str | None = Field(None, description="What a person can do about it.")


class Gap(BaseModel):
    """Speech without text."""

    start_ms: int
    end_ms: int


class Speaker(BaseModel):
    """`id` is what segments carry; `name` is the one given by people, else the same as `label`."""

    id: str
    label: str = Field(description="What to call an unnamed speaker: Speaker 1, Left, …")
    name: str


class WindowCounts(BaseModel):
    """Stretches of up to 30 s: in the plan so far, with text committed, and handed to an engine (repeats counted)."""

    planned: int
    committed: int
    executed: int


class Source(BaseModel):
    """Where a fetched recording comes from, as far as the site tells."""

    url: str
    title: str | None = None
    site: str | None = None
    page_url: str | None = None
    uploader: str | None = None
    playlist: str | None = None
    position: int | None = Field(None, description="In the playlist, from 1.")


class Job(BaseModel):
    """One transcription. Unknown values are null."""

    id: UUID
    file_id: UUID | None = Field(
        description="Null while a link is fetched, and once the recording is removed."
    )
    source: Source | None = Field(None, description="Of a recording that was fetched from a link.")
    transcript_id: UUID | None = None
    filename: str
    status: JobStatus
    stage: str | None = Field(
        description="What it is doing: decoding, loading_model, transcribing, diarizing, finalizing."
    )
    progress: float = Field(ge=0, le=1)
    eta_seconds: int | None
    language: str = Field(description="The language heard, once known; before that the one asked for.")
    mode: Mode
    vad: Vad
    requested_language: str
    translate: bool
    vocabulary: list[str]
    prompt: str
    speakers: int | None
    max_speakers: int | None
    speaker_state: SpeakerState
    speaker_reason: str | None = Field(None, description="Why the speakers could not be told apart.")
    cached_from: UUID | None = Field(None, description="The job whose stored text this one was given.")
    engine: str | None
    model: str | None
    requested_engine: str | None
    requested_model: str | None
    low_accuracy: bool = Field(description="A draft by a small offline engine; run again with a real model.")
    engine_reasons: list[str] = Field(description="Why this engine was taken, and what spoke against others.")
    wait_reason: str | None = Field(None, description="Why it waits: model_missing, model_downloading, …")
    run_after: datetime | None = Field(None, description="Of a pending job: it is not tried before this.")
    cancel_requested: bool
    attempt: int = Field(ge=1)
    windows: WindowCounts
    warnings: list[Notice]
    error: JobFailure | None = None
    gaps: list[Gap]
    duration_ms: int | None
    speech_ms: int | None = Field(description="Speech found in the recording.")
    covered_ms: int | None = Field(description="Speech that has text.")
    processing_time_ms: int | None
    real_time_factor: float | None = Field(description="Processing time over duration.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(BaseModel):
    """Newest first; `next_cursor` is null at the end."""

    items: list[Job]
    next_cursor: str | None


class TranscribeAccepted(BaseModel):
    """The recording is stored and its job is in the queue."""

    job_id: UUID
    status: JobStatus
    filename: str


class Word(BaseModel):
    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = Field(None, ge=0, le=1)


class Segment(BaseModel):
    """A phrase or sentence; its id is stable across reads."""

    id: str
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    confidence: float | None = Field(None, ge=0, le=1)
    flags: list[str] = Field(
        description="Doubts: loop, no_speech, low_confidence, too_fast, language_flip, hard_cut."
    )
    words: list[Word]


class TranscriptResult(BaseModel):
    """The text of a job; `complete` is false while it is only what has been heard so far."""

    job_id: UUID
    complete: bool
    previous: bool = Field(
        False, description="The text of an earlier run, while or because a later one has none."
    )
    language: str | None
    duration_ms: int | None
    speech_ms: int | None
    covered_ms: int | None
    gaps: list[Gap]
    speakers: list[Speaker]
    engine: str | None
    model: str | None
    low_accuracy: bool
    text: str
    warnings: list[Notice]
    segments: list[Segment]


class DownloadFormat(StrEnum):
    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


class SegmentsEvent(BaseModel):
    """Data of the `segments` event: the text of one window."""

    job_id: UUID
    window: int
    segments: list[Segment]


class ProgressEvent(BaseModel):
    """Data of the `progress` event, which carries no id and may be skipped."""

    job_id: UUID
    progress: float
    stage: str | None
    eta_seconds: int | None


class EndEvent(BaseModel):
    """Data of the `end` event, the last of a job's run."""

    job_id: UUID
    status: JobStatus


class RemovedEvent(BaseModel):
    """Data of the `removed` event of a list: the job was deleted. It carries no id and may be lost."""

    job_id: UUID


class SocketMessage(BaseModel):
    """What /ws/jobs/{id} sends: the same events; `seq` is null for progress."""

    type: Literal["status", "segments", "progress", "end"]
    seq: int | None
    data: dict[str, Any]
