"""In which language each window of a job is heard, where that is to be found out.

`auto`: the first window (by index) in which somebody says something decides, for the whole recording. Finding out costs
an engine a second look at the sound, so only that window does it. The engine processes beside it do not wait
meanwhile: they hear their windows as GUESS, and those are heard again where the guess was wrong. So the text depends
on bytes and options alone, never on who was first: a run after a crash, or on more processes, gives the same.
`mixed`: every window for itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from app.asr.types import WindowResult

GUESS = "en"  # the most frequent one; a wrong guess takes the time in which the process would have waited


class LanguageChoice:
    """The language of one job. `fixed` is the one that is known beforehand; without `guesses` nothing is asked before
    the language is known: for engines that cost money."""

    def __init__(self, fixed: str | None, *, mixed: bool, guesses: bool) -> None:
        self._pinned = fixed
        self._finds_out = fixed is None and not mixed
        self._mixed = fixed is None and mixed
        self._guesses = guesses
        self._known_text: dict[int, str | None] = {}  # by window: the language of its text, None without text
        self._first = 0  # the window that decides, as far as is known
        self._changed = asyncio.Event()
        self._spoken: Counter[str] = Counter()  # ms of text by language

    @property
    def language(self) -> str | None:
        """The recording's: the one that was asked for or decided; of a mixed one that of most of the text."""
        if not self._mixed:
            return self._pinned
        return max(self._spoken, key=lambda code: (self._spoken[code], code), default=None)

    def ask(self, index: int) -> str | None:
        """What to ask an engine for that takes the window now; None: it is to find out."""
        if self._pinned is not None or not self._finds_out or index == self._first:
            return self._pinned
        return GUESS

    async def turn(self, index: int) -> None:
        """Waits until the window may be asked for at all."""
        while not (self._guesses or self._known(index)):
            await self._change()

    async def accept(self, index: int, asked: str | None, result: WindowResult) -> WindowResult | None:
        """The window's result with its language once it is sure to stand; None where the window is to be heard again.

        A window that decides nothing and says nothing has no language.
        """
        while not self._known(index):
            await self._change()
        if not self._finds_out or result.error is not None or _unheard(result):
            return self.note(index, result)
        if self._pinned is None:
            return self.note(index, result) if asked is None else None
        return self.note(index, result) if self._pinned in (asked, result.language) else None

    def note(self, index: int, result: WindowResult) -> WindowResult:
        """Takes a result that stands, also one of an earlier run, into account."""
        if result.language is not None:
            self._spoken[result.language] += sum(s.end_ms - s.start_ms for s in result.segments)
        if not self._finds_out:
            return result
        if not result.segments:
            result = replace(result, language=None)
        elif result.language is None:  # an engine that does not tell: each window is left to it
            self._finds_out = False
        if self._pinned is None:
            self._known_text[index] = result.language
            while self._first in self._known_text and self._pinned is None:
                self._pinned = self._known_text.pop(self._first)
                self._first += 1
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()
        return result

    def _known(self, index: int) -> bool:
        """Whether nothing can change any more about how this window is asked for."""
        return not self._finds_out or self._pinned is not None or index <= self._first

    async def _change(self) -> None:
        await self._changed.wait()


def _unheard(result: WindowResult) -> bool:
    """Whether no engine was asked: digital silence is the same in every language."""
    return result.language is None and not result.segments
