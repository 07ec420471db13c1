"""A Whisper prompt from a style and a list of terms, within what the model reads of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def compose(prompt: str, vocabulary: Sequence[str], budget: int, count: Callable[[str], int]) -> str:
    """The style first and the terms last, where they weigh most; "" without either. Begins with a blank, as a text
    that goes on does.

    `count` tells how many tokens a text has, `budget` how many there may be. What does not fit is left out whole:
    terms from the end of the list, then words from the beginning of the style. A third of the budget stays for the
    style where there is one.
    """
    style = prompt.split()
    terms: list[str] = []
    room = budget - min(count(_text(style, [])), budget // 3)
    for term in vocabulary:
        more = [*terms, " ".join(term.split())]
        if more[-1] and count(_text([], more)) <= room:
            terms = more
    while style and count(_text(style, terms)) > budget:
        style = style[max(1, len(style) // 16) :]
    return _text(style, terms)


def _text(style: Sequence[str], terms: Sequence[str]) -> str:
    parts = [" ".join(style)] if style else []
    if terms:
        parts.append(", ".join(terms) + ".")
    return "".join(f" {part}" for part in parts)
