"""Whisper's vocabulary out of a ggml file: token names for CTranslate2, and a tokenizer.json.

The file holds the bytes of text tokens in the order of their rank, which is the order in which byte-pair encoding
learned them. So the pair that each was made of is what encoding its bytes with the earlier tokens alone leaves
(openai/tiktoken, `_educational.py`). Marks and timestamps behind the text are the same in every Whisper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from app.asr.languages import LANGUAGES

ENGLISH = 51_864  # size of the English vocabulary; larger ones know other languages
_TIMES = 1501  # 0.00 to 30.00 s in steps of 0.02
_MARKS = 8  # end, start, translate, transcribe, language model, previous, no speech, no timestamps


def text_tokens(n_vocab: int) -> int:
    """How many ids come before the end mark, in a vocabulary of this size."""
    return n_vocab - _TIMES - _MARKS - languages(n_vocab)


def languages(n_vocab: int) -> int:
    """How many languages such a model has marks for: the English models have them, too, and never use them."""
    return max(99, n_vocab - 51_766)


def marks(n_vocab: int) -> list[str]:
    """The special tokens in order, the first of which is the end mark; timestamps are not among them."""
    codes = list(LANGUAGES)[: languages(n_vocab)]
    return [
        "<|endoftext|>",
        "<|startoftranscript|>",
        *(f"<|{code}|>" for code in codes),
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nocaptions|>",
        "<|notimestamps|>",
    ]


def token_names(vocabulary: Sequence[bytes], n_vocab: int) -> list[str]:
    """A name for every id, each only once. Ids that the file has no bytes for get one that no text contains.

    The last text token of a multilingual vocabulary is empty, and by that CTranslate2 tells it from an English one.
    """
    names: list[str] = []
    seen = set()
    empty = text_tokens(n_vocab) - 1 if n_vocab > ENGLISH else None
    for at in range(text_tokens(n_vocab)):
        if at == empty:
            names.append("")
            continue
        name = _printable(vocabulary[at]) if at < len(vocabulary) else ""
        if not name or name in seen:
            name = f"<|unused-{at}|>"
        seen.add(name)
        names.append(name)
    return [*names, *marks(n_vocab), *(f"<|{step * 0.02:.2f}|>" for step in range(_TIMES))]


def tokenizer_json(vocabulary: Sequence[bytes], n_vocab: int) -> dict[str, Any]:
    """What the tokenizers library reads; a piece of text that is a token as a whole is taken as that token."""
    size = text_tokens(n_vocab)
    names = token_names(vocabulary, n_vocab)[:size]
    specials = [
        {
            "id": size + offset,
            "content": content,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for offset, content in enumerate(marks(n_vocab))
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": specials,
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": {name: at for at, name in enumerate(names)},
            "merges": [[_printable(left), _printable(right)] for left, right in merges(vocabulary[:size])],
        },
    }


def merges(vocabulary: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The pair behind each token of more than one byte, in the order they were learned. A token that was not made
    of two others, as in a vocabulary that was cut, has none."""
    ranks: dict[bytes, int] = {}
    pairs = []
    for rank, token in enumerate(vocabulary):
        parts = _encode(token, ranks)
        if len(parts) == 2 and all(part in ranks for part in parts):
            pairs.append((parts[0], parts[1]))
        ranks.setdefault(token, rank)
    return pairs


def _encode(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Byte-pair encoding with the tokens known so far: the pair of lowest rank is joined first."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 1:
        best, where = None, 0
        for at in range(len(parts) - 1):
            rank = ranks.get(parts[at] + parts[at + 1])
            if rank is not None and (best is None or rank < best):
                best, where = rank, at
        if best is None:
            return parts
        parts[where : where + 2] = [parts[where] + parts[where + 1]]
    return parts


def _printable(data: bytes) -> str:
    """The bytes as GPT-2 writes them: one visible character each."""
    table = _visible()
    return "".join(table[byte] for byte in data)


@cache
def _visible() -> tuple[str, ...]:
    """A character for each byte: itself where it is visible in Latin-1, else one from U+0100 on (GPT-2's table)."""
    spare = iter(range(256, 512))
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    return tuple(chr(byte if byte in kept else next(spare)) for byte in range(256))
