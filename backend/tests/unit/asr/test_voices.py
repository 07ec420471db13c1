"""The parts of telling voices apart: cutting windows, the tree, how many voices, the path, boundaries, and the measure."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.asr.diarization import (
    Turn,
    clustering,
    linkage,
    refine,
    spans,
    timeline,
    turns_from_json,
    turns_to_json,
)
from app.asr.diarization.clustering import Wanted
from app.asr.diarization.embedder import Likeness, load
from app.asr.diarization.recording import tell_apart
from tests.fixtures import dialogue, voice_model

F32 = npt.NDArray[np.float32]
LIKENESS = Likeness(same=0.5, different=0.2)


def voices(counts: list[int], *, noise: float = 0.1, seed: int = 0, size: int = 32) -> tuple[F32, list[int]]:
    """Unit vectors around as many directions as there are counts, shuffled, and whose each is."""
    rng = np.random.default_rng(seed)
    directions = np.eye(size, dtype=np.float32)[: len(counts)]
    owners = [k for k, count in enumerate(counts) for _ in range(count)]
    rng.shuffle(owners)
    points = directions[owners] + rng.normal(0, noise, (len(owners), size))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32), owners


# --- windows and their samples


def test_regions_are_joined_and_cut_into_windows() -> None:
    assert spans.join([(500, 900), (0, 400), (1500, 1550), (800, 1000)]) == [(0, 1000)]
    assert spans.windows((100, 1200)) == [(100, 1200)]
    assert spans.windows((0, 3100)) == [(0, 1500), (750, 2250), (1600, 3100)]
    windows = spans.windows((40, 20_040))
    assert windows[0][0] == 40
    assert windows[-1][1] == 20_040
    assert all(end - start == spans.WINDOW_MS for start, end in windows)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2000)), max_size=12),
    st.lists(st.integers(1, 30_000), max_size=6),
)
def test_cutting_gives_each_span_its_samples(found: list[tuple[int, int]], sizes: list[int]) -> None:
    wanted = [(start, start + length) for start, length in found]
    whole = np.arange(sum(sizes), dtype=np.int64).astype(np.int16)
    blocks = np.split(whole, np.cumsum(sizes)[:-1]) if sizes else []
    got = dict(spans.cut(blocks, wanted))
    for i, (start, end) in enumerate(wanted):
        expected = whole[start * 16 : end * 16]
        if expected.size == (end - start) * 16 or expected.size >= spans.SHORTEST_MS * 16:
            assert np.array_equal(got[i], expected)
        else:
            assert i not in got


def test_cutting_holds_no_more_than_it_needs() -> None:
    held: list[int] = []

    def blocks() -> object:
        for _ in range(600):
            yield np.zeros(16_000, np.int16)

    windows = spans.windows((0, 590_000))
    for _, piece in spans.cut(blocks(), windows):  # type: ignore[arg-type]
        held.append(piece.base.size if piece.base is not None else piece.size)
    assert len(held) == len(windows)
    assert max(held) <= 4 * 16_000


# --- the tree


def slow_merges(vectors: F32) -> list[float]:
    """Average linkage by definition: the two most alike clusters, again and again."""
    clusters = [[i] for i in range(len(vectors))]
    found = []
    while len(clusters) > 1:
        alike, a, b = max(
            (float(np.mean(vectors[clusters[a]] @ vectors[clusters[b]].T)), a, b)
            for a in range(len(clusters))
            for b in range(a)
        )
        found.append(alike)
        clusters[b] += clusters.pop(a)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_tree_is_that_of_the_definition(seed: int) -> None:
    vectors, _ = voices([9, 7, 5], noise=0.3, seed=seed)
    assert [merge.likeness for merge in linkage.merges(vectors)] == pytest.approx(
        slow_merges(vectors), abs=1e-4
    )


def test_the_same_vector_many_times_is_one_cluster() -> None:
    vectors = np.tile(np.eye(4, dtype=np.float32)[:1], (50, 1))
    assert [round(merge.likeness, 4) for merge in linkage.merges(vectors)] == [1.0] * 49


def test_clusters_of_weight_are_counted_after_each_merge() -> None:
    vectors, _ = voices([6, 6, 1], noise=0.05)
    tree = linkage.merges(vectors)
    counts = linkage.heavy(13, tree, 3)
    for made, count in enumerate(counts):
        _, sizes = np.unique(linkage.labels(13, tree, made), return_counts=True)
        assert count == int((sizes >= 3).sum())
    assert counts[10] == 2  # the one point is no cluster of weight


# --- how many, and which


def found(counts: list[int], wanted: Wanted, **options: float) -> tuple[int, float]:
    """How many centres, and the share of points that are nearest to their own voice's one."""
    points, owners = voices(counts, **options)  # type: ignore[arg-type]
    centres = clustering.centres(points, wanted, LIKENESS)
    nearest = np.argmax(points @ centres.T, axis=1)
    right = sum(np.bincount(nearest[np.array(owners) == k]).max() for k in range(len(counts)))
    return len(centres), float(right / len(points))


@pytest.mark.parametrize("counts", [[40], [30, 30], [50, 8], [20, 20, 20, 20], [9] * 7])
@pytest.mark.parametrize("noise", [0.05, 0.15])
def test_the_number_of_voices_is_found(counts: list[int], noise: float) -> None:
    assert found(counts, Wanted(), noise=noise) == (len(counts), 1.0)


def test_a_cough_is_no_speaker() -> None:
    assert found([60, 60, 2], Wanted(), noise=0.1)[0] == 2


def test_asked_and_limited() -> None:
    assert found([30, 30, 30], Wanted(speakers=3)) == (3, 1.0)
    assert found([30, 30, 30], Wanted(speakers=2))[0] == 2
    assert found([30, 30], Wanted(speakers=4))[0] == 4
    assert found([30, 30, 30, 30, 30], Wanted(max_speakers=3))[0] <= 3
    assert found([30, 30], Wanted(max_speakers=1))[0] == 1
    assert found([2], Wanted(speakers=5))[0] <= 2
    assert found([1], Wanted(speakers=2))[0] == 1


def test_many_windows_are_thinned_out_fairly() -> None:
    assert found([4000, 3000, 400], Wanted(), noise=0.15) == (3, 1.0)
    chosen = clustering.thin(41_000, 2000)
    assert len(set(chosen.tolist())) == 2000
    assert chosen.tolist() == sorted(chosen.tolist())
    shares = np.bincount(chosen % 4) / 2000  # a voice on every fourth window keeps its quarter
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.03)
    assert clustering.thin(3, 2000).tolist() == [0, 1, 2]


def test_windows_in_which_the_speaker_changes_are_not_pure() -> None:
    a, b = np.eye(2, dtype=np.float32)
    mixed = (a + b) / math.sqrt(2)
    windows = [(0, 1500), (750, 2250), (1500, 3000), (2250, 3750), (3000, 4500), (9000, 9900)]
    purity = clustering.purity(windows, np.array([a, a, mixed, b, b, a], np.float32))
    assert purity[[0, 4, 5]].tolist() == [1, 1, 1]
    assert purity[2] == 0


# --- the path, and its boundaries


def test_a_short_slip_is_no_turn_but_a_long_one_is() -> None:
    windows = spans.windows((0, 12_000), 1500, 750)
    for wrong, names in ((1, ["S1"]), (4, ["S1", "S2", "S1"])):
        likeness = np.tile(np.array([[0.7, 0.2]], np.float32), (len(windows), 1))
        likeness[6 : 6 + wrong] = (0.4, 0.5) if wrong == 1 else (0.2, 0.7)
        turns = timeline.turns(timeline.stretches([(0, 12_000)], windows, likeness))
        assert [turn.speaker for turn in turns] == names
        assert (turns[0].start_ms, turns[-1].end_ms) == (0, 12_000)


def test_turns_are_named_by_appearance_and_joined_over_short_pauses() -> None:
    stretches = [(0, 900, 3), (1000, 2000, 3), (2100, 2600, 1), (3300, 4000, 1)]
    assert timeline.turns(stretches) == [
        Turn(0, 2000, "S1"),
        Turn(2100, 2600, "S2"),
        Turn(3300, 4000, "S2"),
    ]
    assert turns_from_json(turns_to_json(timeline.turns(stretches))) == timeline.turns(stretches)


def test_a_change_moves_to_where_the_voices_part() -> None:
    stretches = [(0, 3000, 0), (3000, 6000, 1), (7000, 8000, 0)]
    assert refine.changes(stretches) == [1]  # the other change has a pause
    probes = refine.probes(stretches, 1)
    assert (probes[0][0], probes[-1][1]) == (2000, 4000)
    middles = np.array([(a + b) / 2 for a, b in probes])
    likeness = np.where(middles[:, None] < 3420, [[0.7, 0.1]], [[0.1, 0.7]]).astype(np.float32)
    moved = refine.move(stretches, 1, probes, likeness)
    assert moved[0][1] == moved[1][0] == pytest.approx(3420, abs=60)
    assert moved[2] == stretches[2]
    blind = np.full((len(probes), 2), np.nan, np.float32)
    assert refine.move(stretches, 1, probes, blind) == stretches


# --- the measure


def test_error_rate_counts_what_is_missed_invented_and_confused() -> None:
    truth = [Turn(0, 4000, "a"), Turn(4000, 8000, "b")]
    same = [Turn(0, 4000, "S2"), Turn(4000, 8000, "S1")]
    assert dialogue.error_rate(truth, same, 0).total == 0
    assert dialogue.error_rate(truth, [Turn(0, 8000, "S1")], 0).confused == pytest.approx(0.5)
    assert dialogue.error_rate(truth, same[:1], 0).missed == pytest.approx(0.5)
    assert dialogue.error_rate(truth, [*same, Turn(8000, 10_000, "S1")], 0).false_alarm == pytest.approx(0.25)
    late = [Turn(0, 4200, "S1"), Turn(4200, 8000, "S2")]
    assert dialogue.error_rate(truth, late, 0).confused == pytest.approx(0.025)
    assert dialogue.error_rate(truth, late).total == 0  # inside the collar
    assert dialogue.error_rate(truth, [Turn(0, 4000, "S1"), Turn(4000, 8000, "S1")], 0).confused == 0.5


# --- without pauses


@pytest.mark.parametrize(("file", "count", "most"), [(dialogue.TWO, 2, 0.03), (dialogue.FOUR, 4, 0.08)])
@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_leave_no_pause(tmp_path: Path, file: Path, count: int, most: float, seed: int) -> None:
    path = tmp_path / "said.wav"
    truth = dialogue.without_pauses(file, path, seed)
    embedder = load(str(voice_model.build(tmp_path / "tiny.onnx")))
    turns = tell_apart(path, None, embedder, Wanted(), max_seconds=600, report=lambda fraction: None)
    assert len({turn.speaker for turn in turns}) == count
    assert dialogue.error_rate(truth, turns).total <= most


def test_progress_grows_from_the_first_block_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.asr.diarization.recording.REPORT_EVERY_SECONDS", 0.0)
    told: list[float] = []
    embedder = load(str(voice_model.build(tmp_path / "tiny.onnx")))
    tell_apart(dialogue.ONE, None, embedder, Wanted(), max_seconds=600, report=told.append)
    assert told[:10] == [0.0] * 10  # while speech is looked for
    assert told == sorted(told)
    assert 0.8 < told[-1] <= 1
