"""The values of the speech pipeline. Times are integer milliseconds on the recording's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """One stream of text, or who said what."""

    MONO = "mono"
    DIALOGUE = "dialogue"


class Vad(StrEnum):
    """Find speech first, or take fixed windows of 30 s."""

    AUTO = "auto"
    OFF = "off"


class Stage(StrEnum):
    """What a job is doing right now, in the order of DESIGN.md section 3."""

    FETCHING = "fetching"
    DECODING = "decoding"
    LOADING_MODEL = "loading_model"
    TRANSCRIBING = "transcribing"
    DIARIZING = "diarizing"
    FINALIZING = "finalizing"


# What can be doubtful about a segment; docs/api.md says what each means.
FLAGS = ("loop", "no_speech", "low_confidence", "too_fast", "language_flip", "hard_cut")

AUTO = "auto"  # find the language out on the first speech, then keep it
MIXED = "mixed"  # find the language out in every window

TOKENS = "tokens"  # word times as the engine guesses them while it decodes
DTW = "dtw"  # word times by alignment of text and sound


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place in time; `confidence` 0..1 or None where the engine gives none."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A phrase or sentence; `flags` name doubts (FLAGS), `speaker` is a label that is stable inside its job."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    speaker: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of at most 30 s that is transcribed at once; a row of the plan.

    `speech` holds the regions that VAD found inside it, absolute, in order; `hard_cut` says that its end is not
    in a silence. `channel` is the one that was listened to (0 left, 1 right), None for all of them mixed.
    """

    index: int
    start_ms: int
    end_ms: int
    speech: tuple[tuple[int, int], ...] = ()
    hard_cut: bool = False
    channel: int | None = None

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that a finished job carries: code of docs/api.md and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class MediaSummary:
    """What decoding the whole file told. `duration_ms` counts decoded samples, never the header. `speech_ms` is None
    where speech was not looked for.

    `speakers_by_channel` says that each channel was planned for itself, as one speaker of a dialogue.
    """

    duration_ms: int
    speech_ms: int | None
    sha256: str
    container: str
    codec: str
    sample_rate: int
    channels: int
    has_video: bool
    windows: int
    notices: tuple[Notice, ...] = ()
    channel_layout: str = ""
    speakers_by_channel: bool = False


@dataclass(frozen=True, slots=True)
class Peaks:
    """The drawing of a recording's loudness, as audiowaveform writes it: `data` holds `length` pairs of int8, the
    lowest and the highest sample of each stretch of `samples_per_pixel` samples at `sample_rate`."""

    sample_rate: int
    samples_per_pixel: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine runs with which model. `model_path` is absolute and verified, None for engines without files;
    `device` is "cpu", "cuda" or "auto" for engines that can use a graphics card, None for others; `word_times` is TOKENS
    or DTW, for engines that know both."""

    engine: str
    model: str | None = None
    model_path: str | None = None
    low_accuracy: bool = False
    device: str | None = None
    word_times: str = TOKENS


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """What the caller asked of one job.

    `language` is a code, AUTO or MIXED. `vocabulary` holds names and terms to expect, `prompt` a text in the style
    that is wanted; both are hints to the engine. `speakers` is the number of speakers where it is known,
    `max_speakers` the most there may be.
    """

    language: str = AUTO
    mode: Mode = Mode.MONO
    vad: Vad = Vad.AUTO
    translate: bool = False
    vocabulary: tuple[str, ...] = ()
    prompt: str = ""
    speakers: int | None = None
    max_speakers: int | None = None


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """All that one call of an engine is told besides the samples. Complete each time: nothing is kept between calls.

    `language` None means: find out. `attempt` counts how often the same window was asked for before; an engine that
    would answer the same again tries differently from 1 on (another temperature).
    """

    language: str | None = None
    translate: bool = False
    vocabulary: tuple[str, ...] = ()
    prompt: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What an engine heard in one window; `language` is what it used or detected.

    `error` is the code of the failure of a window that was given up, None where the engine answered: such a
    window is a gap in the transcript. `covered_ms` of the window's speech have text, `gaps` are the stretches of
    speech longer than two seconds that have none, absolute, in order. `reruns` counts how often the quality gate
    asked the engine again, `invented` the segments it took out because no speech was under them.
    """

    segments: tuple[Segment, ...] = ()
    language: str | None = None
    engine_ms: int = 0
    error: str | None = None
    covered_ms: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    reruns: int = 0
    invented: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: `fraction` 0..1, `eta_seconds` None while unknown."""

    stage: Stage
    fraction: float
    eta_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """A whole recording. `segments` is in order, and empty where the sink keeps them instead.

    `covered_ms` of the `summary.speech_ms` of speech have text, `gaps` are the stretches that have none, in order.
    """

    summary: MediaSummary
    language: str | None
    segments: tuple[Segment, ...] = ()
    notices: tuple[Notice, ...] = ()
    covered_ms: int = 0
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def text(self) -> str:
        """The segments' texts joined by blanks."""
        return " ".join(segment.text for segment in self.segments)
