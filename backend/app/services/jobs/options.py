"""What a job asks of the pipeline: made in one place, from the job's row alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.asr.types import Mode, TranscribeOptions, Vad
from app.models import Job, Workspace


@dataclass(frozen=True, slots=True)
class Hints:
    """Names and terms to expect, and a text in the style that is wanted."""

    vocabulary: tuple[str, ...] = ()
    prompt: str = ""


def merge_hints(workspace: Workspace, vocabulary: Iterable[str], prompt: str) -> Hints:
    """The hints of a new job: those of its workspace first, then its own, each term once whatever its case.

    They are written into the job when it is made: a resume after somebody changed the workspace's settings must
    hear as before, and another workspace's hints cannot come near.
    """
    terms: dict[str, str] = {}
    for term in (*workspace.vocabulary, *vocabulary):
        terms.setdefault(term.casefold(), term)
    texts = dict.fromkeys(text.strip() for text in (workspace.prompt, prompt))
    return Hints(tuple(terms.values()), " ".join(text for text in texts if text))


def transcribe_options(job: Job) -> TranscribeOptions:
    """The options of every run of this job; nothing but its own row is read."""
    return TranscribeOptions(
        language=job.language,
        mode=Mode(job.mode),
        vad=Vad(job.vad),
        translate=job.translate,
        vocabulary=tuple(job.vocabulary),
        prompt=job.prompt,
        speakers=job.speakers,
        max_speakers=job.max_speakers,
    )
