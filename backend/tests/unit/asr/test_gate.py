"""The quality gate: what fails is asked again, what still fails is marked, what nobody said is no text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.asr import gate
from app.asr.engines import whisper_cpp
from app.asr.engines.base import Engine, Samples
from app.asr.host.pool import EnginePool
from app.asr.segmentation.windows import SpeechWindows
from app.asr.types import EngineSpec, Segment, Window, WindowOptions, WindowResult, Word
from app.core.errors import JobError
from tests.fixtures import scripted_model, speech
from tests.unit.asr.recordings import decoded, pcm

ENGLISH = WindowOptions("en")
WINDOW = Window(2, 60_000, 85_000, speech=((61_000, 70_000), (74_000, 84_000)))
SOUND = np.full(25 * 16_000, 0.1, np.float32)
LOOP = "thank you for watching " * 12


def phrase(start_ms: int, end_ms: int, text: str = "", confidence: float = 0.9) -> Segment:
    """A segment whose words share its time; by default one that covers it."""
    count = max(1, (end_ms - start_ms) // 500)
    texts = text.split() or [f"w{start_ms // 500 + n}" for n in range(count)]
    step = (end_ms - start_ms) // len(texts)
    words = tuple(
        Word(word, start_ms + n * step, start_ms + (n + 1) * step, confidence) for n, word in enumerate(texts)
    )
    return Segment(start_ms, end_ms, " ".join(texts), words, confidence)


GOOD = (phrase(61_000, 70_000), phrase(74_000, 84_000))
Answer = Callable[[Window, WindowOptions], Sequence[Segment]]


class Scripted:
    """Answers by a function, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.calls: list[tuple[Window, WindowOptions, int]] = []

    def load(self, spec: EngineSpec) -> None:
        raise NotImplementedError

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        self.calls.append((window, options, samples.size))
        return WindowResult(tuple(self._answer(window, options)), options.language or "en", 1)


def inside(window: Window, segments: Sequence[Segment]) -> list[Segment]:
    return [s for s in segments if window.start_ms <= s.start_ms and s.end_ms <= window.end_ms]


def texts(result: WindowResult) -> list[str]:
    return [segment.text for segment in result.segments]


def test_a_good_answer_is_asked_for_once() -> None:
    engine = Scripted(lambda _w, _o: GOOD)
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH)
    assert len(engine.calls) == 1
    assert result.segments == GOOD
    assert (result.reruns, result.gaps, result.covered_ms) == (0, (), 19_000)


def test_a_loop_is_heard_again_in_halves() -> None:
    def answer(window: Window, _options: WindowOptions) -> Sequence[Segment]:
        return [phrase(61_000, 84_000, LOOP)] if window == WINDOW else inside(window, GOOD)

    engine = Scripted(answer)
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH)
    assert result.segments == GOOD
    assert result.reruns == 1
    halves = engine.calls[1:]
    assert [(w.start_ms, w.end_ms, w.speech) for w, _, _ in halves] == [
        (60_000, 70_250, ((61_000, 70_000),)),
        (73_750, 85_000, ((74_000, 84_000),)),
    ]
    assert [samples for _, _, samples in halves] == [10_250 * 16, 11_250 * 16]
    assert [options.attempt for _, options, _ in halves] == [0, 0]


def test_a_short_silence_parts_a_loop_and_the_half_that_failed_is_heard_warmer() -> None:
    window = replace(WINDOW, speech=((61_000, 72_000), (72_400, 84_000)))
    engine = Scripted(lambda _w, _o: [phrase(61_000, 72_000, LOOP)])
    gate.hear(engine, SOUND, window, ENGLISH)
    asked = [(w.start_ms, w.end_ms, options.attempt) for w, options, _ in engine.calls[1:3]]
    assert asked == [(60_000, 72_200, 1), (72_200, 85_000, 0)]


def test_without_a_silence_the_whole_is_heard_at_another_temperature() -> None:
    window = replace(WINDOW, speech=((61_000, 84_000),))
    good = [phrase(61_000, 84_000)]
    engine = Scripted(lambda _w, o: good if o.attempt else [phrase(61_000, 84_000, LOOP)])
    result = gate.hear(engine, SOUND, window, ENGLISH)
    assert texts(result) == [good[0].text]
    assert [options.attempt for _, options, _ in engine.calls] == [0, 1]


@pytest.mark.parametrize(
    ("text", "flag"), [(LOOP, "loop"), ("с нами был весь этот долгий вечер", "language_flip")]
)
def test_what_still_fails_is_kept_with_its_flag(text: str, flag: str) -> None:
    engine = Scripted(lambda w, _o: [phrase(w.speech[0][0], w.speech[-1][1], text)] if w.speech else [])
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH)
    assert texts(result) == [text.strip()]
    assert flag in result.segments[0].flags
    assert result.reruns == 1


def test_the_first_answer_stays_where_the_second_is_no_better() -> None:
    guess = phrase(61_000, 84_000, "so it may be that nobody knows what they want to say", confidence=0.1)
    engine = Scripted(
        lambda _w, o: [replace(guess, text="worse", words=(), confidence=0.05)] if o.attempt else [guess]
    )
    window = replace(WINDOW, speech=((61_000, 84_000),))
    result = gate.hear(engine, SOUND, window, ENGLISH)
    assert result.segments[0].text == guess.text
    assert result.segments[0].flags == ("low_confidence",)
    assert result.reruns >= 1


def test_a_repetition_that_breaks_changes_nothing() -> None:
    def answer(_window: Window, options: WindowOptions) -> Sequence[Segment]:
        if options.attempt:
            raise JobError("engine_failed", "broken", retryable=True)
        return [phrase(61_000, 84_000, LOOP)]

    result = gate.hear(Scripted(answer), SOUND, replace(WINDOW, speech=((61_000, 84_000),)), ENGLISH)
    assert result.segments[0].flags == ("loop",)


def test_near_the_deadline_nothing_is_repeated() -> None:
    def slow(_window: Window, _options: WindowOptions) -> Sequence[Segment]:
        time.sleep(0.05)
        return [phrase(61_000, 84_000, LOOP)]

    engine = Scripted(slow)
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH, seconds=0.1)
    assert len(engine.calls) == 1
    assert "loop" in result.segments[0].flags


def test_text_with_no_speech_under_it_is_no_text() -> None:
    invented = phrase(71_000, 73_000, "Thanks for watching!")
    engine = Scripted(lambda _w, _o: [GOOD[0], invented, GOOD[1]])
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH)
    assert result.segments == GOOD
    assert (result.invented, len(engine.calls)) == (1, 1)


def test_misplaced_text_is_asked_for_again() -> None:
    lost = phrase(71_000, 73_000, "this was said before nine")

    def answer(window: Window, _options: WindowOptions) -> Sequence[Segment]:
        return [lost, GOOD[1]] if window == WINDOW else inside(window, GOOD)

    assert gate.hear(Scripted(answer), SOUND, WINDOW, ENGLISH).segments == GOOD


def test_a_word_in_silence_goes_to_the_nearest_speech() -> None:
    tail = replace(GOOD[0].words[-1], start_ms=71_500, end_ms=72_000)
    wide = replace(GOOD[0], end_ms=72_000, words=(*GOOD[0].words[:-1], tail))
    result = gate.hear(Scripted(lambda _w, _o: [wide, GOOD[1]]), SOUND, WINDOW, ENGLISH)
    first = result.segments[0]
    assert first.words[-1].text == tail.text
    assert first.words[-1].end_ms <= first.end_ms <= 70_150


@pytest.mark.parametrize("always", [False, True])
def test_a_muted_stretch_is_repaired_or_reported(always: bool) -> None:
    said = [phrase(at, at + 1_500) for at in (61_000, 62_500, 64_000, 65_500, 67_000, 68_500)]

    def answer(window: Window, _options: WindowOptions) -> Sequence[Segment]:
        muted = always or window == WINDOW
        kept = [s for s in said if not (muted and 64_000 <= s.start_ms < 68_500)]
        return inside(window, [*kept, GOOD[1]])

    engine = Scripted(answer)
    result = gate.hear(engine, SOUND, WINDOW, ENGLISH)
    assert result.reruns == 1
    asked = engine.calls[1][0]
    assert (asked.start_ms, asked.end_ms) == (64_250, 68_250)
    if always:
        assert result.gaps == ((64_500, 68_000),)
        assert result.covered_ms == 19_000 - 3_500
    else:
        assert result.gaps == ()
        assert texts(result)[0] == said[0].text


def test_digital_silence_is_not_sent_to_an_engine() -> None:
    engine = Scripted(lambda _w, _o: [phrase(0, 5_000, "Thank you.")])
    window = Window(0, 0, 30_000)
    assert gate.hear(engine, np.zeros(30 * 16_000, np.float32), window, WindowOptions()).segments == ()
    assert engine.calls == []


def test_assess_marks_and_measures_but_takes_nothing_out() -> None:
    invented = phrase(71_000, 73_000, "Thanks for watching!")
    result = gate.assess(WindowResult((invented, GOOD[1]), "en"), WINDOW, "en")
    assert [segment.flags for segment in result.segments] == [("no_speech",), ()]
    assert result.gaps == ((61_000, 70_000),)


# The small speech model, through the real library.


class Muted:
    """Drops what the engine hears in a stretch: the first time, or always."""

    def __init__(self, engine: Engine, start_ms: int, end_ms: int, *, always: bool) -> None:
        self._engine, self._start, self._end, self._always = engine, start_ms, end_ms, always
        self.calls = 0

    def load(self, spec: EngineSpec) -> None:
        raise NotImplementedError

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        result = self._engine.transcribe(samples, window, options)
        self.calls += 1
        if self.calls > 1 and not self._always:
            return result
        kept = [s for s in result.segments if s.end_ms <= self._start or s.start_ms >= self._end]
        return replace(result, segments=tuple(kept))


@pytest.fixture(scope="module")
def engine(speech_spec: EngineSpec) -> Engine:
    engine = whisper_cpp.create()
    engine.load(speech_spec)
    return engine


def windows(samples: np.ndarray) -> list[tuple[Window, Samples]]:
    """What voice detection and cutter make of int16 samples."""
    finder = SpeechWindows()
    found = [*finder.feed(samples), *finder.finish()]
    return [(window, part.astype(np.float32) / 32768) for window, part in found]


@pytest.fixture(scope="module")
def monologue() -> list[tuple[Window, Samples]]:
    return windows(decoded(speech.MONOLOGUE))


@pytest.mark.slow
def test_the_monologue_is_no_worse_and_nothing_is_flagged(
    engine: Engine, monologue: list[tuple[Window, Samples]]
) -> None:
    said = speech.said(speech.MONOLOGUE)
    truth = " ".join(utterance.text for utterance in said)
    bare = [s for w, a in monologue for s in engine.transcribe(a, w, ENGLISH).segments]
    heard = [gate.hear(engine, a, w, ENGLISH) for w, a in monologue]
    gated = [segment for result in heard for segment in result.segments]
    assert speech.word_error_rate(truth, " ".join(s.text for s in gated)) <= speech.word_error_rate(
        truth, " ".join(s.text for s in bare)
    )
    assert not [(segment.text, segment.flags) for segment in gated if segment.flags]
    assert [result.gaps for result in heard] == [()] * len(monologue)
    assert sum(result.reruns for result in heard) == 0
    near = [min(abs(s.start_ms - u.start_ms) for s in gated) <= 300 for u in said]
    assert sum(near) >= 0.9 * len(said)


@pytest.mark.parametrize("always", [False, True])
def test_a_muted_stretch_of_real_speech(
    engine: Engine, monologue: list[tuple[Window, Samples]], always: bool
) -> None:
    window, samples = monologue[1]
    whole = gate.hear(engine, samples, window, ENGLISH)
    lost = whole.segments[2:5]
    start, end = lost[0].start_ms, lost[-1].end_ms
    muted = Muted(engine, start, end, always=always)
    result = gate.hear(muted, samples, window, ENGLISH)
    assert result.reruns == 1
    if always:
        [gap] = result.gaps
        assert gap[0] == pytest.approx(start, abs=700)
        assert gap[1] == pytest.approx(end, abs=700)
        assert result.covered_ms < whole.covered_ms
    else:
        assert result.gaps == ()
        assert speech.word_error_rate(" ".join(texts(whole)), " ".join(texts(result))) <= 0.06
        clock = window.start_ms
        for segment in result.segments:
            assert clock <= segment.start_ms < segment.end_ms
            clock = segment.end_ms


def pink(count: int) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
    sound = np.fft.irfft(spectrum, count)
    return np.asarray(0.1 * sound / np.abs(sound).max() * 32767, np.int16)


def white(count: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(2).standard_normal(count) * 800, np.int16)


def music(count: int) -> np.ndarray:
    """Chords of plucked tones that decay, one a second."""
    time_s = np.arange(count) / 16_000
    beat = time_s % 1.0
    roots = np.array([220.0, 261.6, 196.0, 293.7])[(time_s.astype(int)) % 4]
    sound = sum(
        np.sin(2 * np.pi * roots * ratio * time_s) / n for n, ratio in enumerate((1, 1.26, 1.5, 2), 1)
    )
    return np.asarray(4_000 * sound * np.exp(-3 * beat), np.int16)


class Chatty:
    """An engine that says something in every second of silence, as Whisper does on a bad day."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self, spec: EngineSpec) -> None:
        raise NotImplementedError

    def transcribe(self, samples: Samples, window: Window, options: WindowOptions) -> WindowResult:
        heard = self._engine.transcribe(samples, window, options)
        invented = [
            phrase(at, at + 800, "Thank you.") for at in range(window.start_ms, window.end_ms - 800, 1_000)
        ]
        free = [
            i
            for i in invented
            if not any(s.start_ms < i.end_ms and s.end_ms > i.start_ms for s in heard.segments)
        ]
        segments = sorted([*heard.segments, *free], key=lambda segment: segment.start_ms)
        return replace(heard, segments=tuple(segments))


@pytest.mark.parametrize("noise", [np.zeros, white, pink, music], ids=["silence", "white", "pink", "music"])
@pytest.mark.parametrize("chatty", [False, True])
def test_no_words_outside_speech(engine: Engine, noise: Callable[[int], np.ndarray], chatty: bool) -> None:
    """Two sentences with ten seconds of something else between and around them."""
    said = [decoded(speech.sentence(n)) for n in (0, 4)]
    quiet = [np.asarray(noise(10 * 16_000), np.int16) for _ in range(3)]
    sound = np.concatenate([quiet[0], said[0], quiet[1], said[1], quiet[2]])
    first = 10_000
    second = 20_000 + said[0].size // 16
    allowed = [(first, first + said[0].size // 16), (second, second + said[1].size // 16)]
    words: list[Word] = []
    for window, samples in windows(sound):
        result = gate.hear(Chatty(engine) if chatty else engine, samples, window, ENGLISH)
        words += [word for segment in result.segments for word in segment.words]
    outside = [w for w in words if not any(a - 300 < w.end_ms and b + 300 > w.start_ms for a, b in allowed)]
    assert outside == []
    assert len(words) >= 12


async def test_a_looping_model_ends_flagged_within_the_deadline(tmp_path: Path) -> None:
    model = scripted_model.build("tiny", tmp_path / "loop.bin", loop=14)
    pool = EnginePool(1, nice=0)  # its deadline is 300 s
    window = Window(0, 0, 30_000, speech=((200, 14_000), (15_000, 29_800)))

    async def start() -> None:
        return

    try:
        began = time.monotonic()
        result = await pool.submit(
            "job", EngineSpec("whisper_cpp", "loop", str(model)), ENGLISH, window, pcm(30), start
        )
        assert time.monotonic() - began < 300
    finally:
        await pool.close()
    assert result.reruns == 1
    assert result.segments
    assert all("loop" in segment.flags for segment in result.segments)
