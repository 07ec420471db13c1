"""One language for a recording, found out on the first words, whatever order windows end in."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.asr.hearer import Start
from app.asr.language_choice import GUESS, LanguageChoice
from app.asr.limits import MediaLimits
from app.asr.pipeline import fixed_language, transcribe
from app.asr.sinks import MemorySink
from app.asr.types import (
    MIXED,
    EngineSpec,
    Segment,
    TranscribeOptions,
    Vad,
    Window,
    WindowOptions,
    WindowResult,
)
from app.core.errors import JobError
from tests.fixtures.tone_model import sequence, tones
from tests.fixtures.wav import write_wav

SPEC = EngineSpec("whisper_cpp", "none")
SILENT, NOISE = "silent", "noise"


class Babel:
    """A pool whose engine knows what is spoken in each window: a code, NOISE (no text, a language by chance) or
    SILENT (it is not asked). Its answers come in an order of chance."""

    def __init__(self, spoken: list[str], seed: int = 0) -> None:
        self.spoken = spoken
        self.asked: list[tuple[int, str | None]] = []
        self._chance = random.Random(seed)

    async def submit(
        self, job: str, spec: EngineSpec, options: WindowOptions, window: Window, pcm: bytes, on_start: Start
    ) -> WindowResult:
        await asyncio.sleep(self._chance.random() / 500)
        options = await on_start() or options
        self.asked.append((window.index, options.language))
        await asyncio.sleep(self._chance.random() / 500)
        spoken = self.spoken[window.index]
        if spoken == SILENT:
            return WindowResult()
        if spoken == NOISE:
            return WindowResult(language=options.language or "la")
        language = options.language or spoken
        text = f"{window.index} heard as {language}"
        return WindowResult((Segment(window.start_ms, window.end_ms, text),), language)


async def hear(
    choice: LanguageChoice, pool: Babel, done: dict[int, WindowResult] | None = None
) -> dict[int, WindowResult]:
    """What the pipeline does with a choice, without decoder and sink; `done` is what an earlier run has committed."""
    results: dict[int, WindowResult] = {}

    async def one(index: int) -> None:
        window = Window(index, index * 30_000, (index + 1) * 30_000)
        await choice.turn(index)
        sure = None
        while sure is None:
            told = WindowOptions(choice.ask(index))

            async def start() -> WindowOptions:
                nonlocal told
                told = WindowOptions(choice.ask(index))
                return told

            result = await pool.submit("job", SPEC, told, window, b"", start)
            sure = await choice.accept(index, told.language, result)
        results[index] = sure

    async with asyncio.TaskGroup() as tasks:
        for index in range(len(pool.spoken)):
            if done and index in done:
                results[index] = choice.note(index, done[index])
            else:
                tasks.create_task(one(index))
                await asyncio.sleep(0)
    return results


kinds = st.sampled_from(["en", "de", "fr", NOISE, SILENT])


@given(st.lists(kinds, min_size=1, max_size=8), st.integers(0, 99), st.booleans(), st.sets(st.integers(0, 7)))
async def test_the_text_does_not_depend_on_the_order(
    spoken: list[str], seed: int, guesses: bool, kept: set[int]
) -> None:
    voices = [code for code in spoken if code not in (NOISE, SILENT)]
    choice = LanguageChoice(None, mixed=False, guesses=guesses)
    async with asyncio.timeout(5):
        results = await hear(choice, Babel(spoken, seed))
    assert choice.language == (voices[0] if voices else None)
    for index, result in results.items():
        said = spoken[index] not in (NOISE, SILENT)
        assert [s.text for s in result.segments] == ([f"{index} heard as {voices[0]}"] if said else [])
        assert result.language == (voices[0] if said else None)

    # a run that goes on after a crash: some windows are there already
    done = {index: result for index, result in results.items() if index in kept}
    again = LanguageChoice(None, mixed=False, guesses=guesses)
    async with asyncio.timeout(5):
        assert await hear(again, Babel(spoken, seed + 1), done) == results
    assert again.language == choice.language


async def test_a_right_guess_is_not_heard_again() -> None:
    pool = Babel(["en", "en", "en", "en"])
    await hear(LanguageChoice(None, mixed=False, guesses=True), pool)
    assert sorted(index for index, _ in pool.asked) == [0, 1, 2, 3]
    assert dict(pool.asked)[0] is None
    assert all(language == GUESS for index, language in pool.asked if index)


async def test_without_guesses_nothing_is_asked_before_the_language_is_known() -> None:
    pool = Babel([SILENT, "de", "de", "de"])
    await hear(LanguageChoice(None, mixed=False, guesses=False), pool)
    assert pool.asked[:2] == [(0, None), (1, None)]
    assert sorted(pool.asked[2:]) == [(2, "de"), (3, "de")]


async def test_a_known_language_is_asked_for_at_once() -> None:
    pool = Babel(["de", "fr"])
    choice = LanguageChoice("fr", mixed=False, guesses=False)
    await hear(choice, pool)
    assert sorted(pool.asked) == [(0, "fr"), (1, "fr")]
    assert choice.language == "fr"


async def test_mixed_keeps_what_each_window_is_in() -> None:
    pool = Babel(["de", "fr", "fr", NOISE])
    choice = LanguageChoice(None, mixed=True, guesses=True)
    results = await hear(choice, pool)
    assert [results[index].language for index in range(3)] == ["de", "fr", "fr"]
    assert {language for _, language in pool.asked} == {None}
    assert choice.language == "fr"


async def test_an_engine_that_names_no_language_is_left_alone() -> None:
    class Wordless(Babel):
        async def submit(self, *args: Any) -> WindowResult:
            result = await super().submit(*args)
            return WindowResult(result.segments)

    pool = Wordless(["de", "de", "de"])
    choice = LanguageChoice(None, mixed=False, guesses=False)
    async with asyncio.timeout(5):
        await hear(choice, pool)
    assert [language for _, language in pool.asked] == [None, None, None]
    assert choice.language is None


@pytest.mark.parametrize("language", ["auto", MIXED])
async def test_a_wrong_guess_costs_time_and_no_word(
    language: str, decoder: Any, tmp_path: Path, tone_spec: EngineSpec
) -> None:
    """The pipeline itself, with silence first: the third window decides, and all later ones are in its language."""
    sink = MemorySink()
    pool = Babel([SILENT, NOISE, "de", "fr", "de"], seed=3)
    result = await transcribe(
        write_wav(tmp_path / "a.wav", tones(sequence(150))),
        tone_spec,
        TranscribeOptions(language=language, vad=Vad.OFF),
        job="job",
        decoder=decoder,
        pool=pool,
        sink=sink,
        limits=MediaLimits(),
        max_in_flight=3,
    )
    assert result.language == "de"
    other = "fr" if language == MIXED else "de"
    assert [segment.text for segment in result.segments] == [
        "2 heard as de",
        f"3 heard as {other}",
        "4 heard as de",
    ]
    assert result.text.count("heard") == 3
    assert [sink.results[index].language for index in (2, 3, 4)] == ["de", other, "de"]


def test_an_english_model_names_the_language_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.asr.pipeline._is_multilingual", lambda _: False)
    spec = EngineSpec("whisper_cpp", "tiny.en", "/models/tiny.en.bin")
    with pytest.raises(JobError, match=r"knows English only, not German\.") as refused:
        fixed_language(spec, TranscribeOptions(language="de"))
    assert refused.value.code == "language_unsupported"
