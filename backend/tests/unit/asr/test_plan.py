"""The plan of windows is a function of bytes, versions and settings: what resuming a job rests on."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.host.decoder import Decoder, Event, Finished, Planned
from app.asr.limits import MediaLimits
from app.asr.segmentation.windows import make_windower
from app.asr.types import Mode, TranscribeOptions, Vad
from tests.fixtures import speech
from tests.unit.asr.recordings import encode


def monologue(seconds: int) -> np.ndarray:
    with av.open(str(speech.MONOLOGUE)) as container:
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(parts)[: seconds * 16_000]


SOUND = monologue(70)


def plan(vad: Vad, sizes: list[int]) -> list[Any]:
    """Windows with the bytes of their samples, for blocks of these sizes and one of the rest."""
    windower, found, at = make_windower(vad), [], 0
    for size in [*sizes, SOUND.size]:
        found += windower.feed(SOUND[at : at + size])
        at += size
    found += windower.finish()
    return [(window, pcm.tobytes()) for window, pcm in found]


WHOLE = {vad: plan(vad, []) for vad in Vad}


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(Vad), st.lists(st.integers(1, 80_000), max_size=30))
def test_sizes_of_blocks_do_not_matter(vad: Vad, sizes: list[int]) -> None:
    assert plan(vad, sizes) == WHOLE[vad]


async def events(path: Path, options: TranscribeOptions) -> list[Event]:
    """What the decoder's process tells, but for how far it is."""
    async with Decoder(nice=0).open(path, options, MediaLimits()) as told:
        return [event async for event in told if isinstance(event, Planned | Finished)]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("vad", Vad)
async def test_two_runs_plan_the_same(vad: Vad, mode: Mode) -> None:
    options = TranscribeOptions(vad=vad, mode=mode)
    first, second = [await events(speech.DIALOGUE, options) for _ in range(2)]
    assert first == second
    assert len(first) > 2


@pytest.mark.parametrize("name", ["mp3", "m4a", "ogg"])
async def test_what_was_compressed_is_planned_the_same_again(name: str, tmp_path: Path) -> None:
    path = encode(tmp_path / f"a.{name}", SOUND.astype(np.float32) / 32_768, name)
    first, second = [await events(path, TranscribeOptions()) for _ in range(2)]
    assert first == second
    windows = [event.window for event in first if isinstance(event, Planned)]
    assert all(early.end_ms <= late.start_ms for early, late in pairwise(windows))
