"""Looks into a ggml Whisper file before native code does, which crashes on files that are broken or cut.

Layout (whisper.cpp, whisper_model_load): magic, 11 int32 of dimensions, mel filters, vocabulary, then tensors
(dimensions, name length, type, shape reversed, name, data), all little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.core.errors import JobError

MAGIC = 0x67676D6C
_ENGLISH_VOCABULARY = 51_864
# Bytes and weights of one block, by ggml tensor type.
BLOCKS = {0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32)}
_MAX_TOKEN_BYTES = 1024


@dataclass(frozen=True, slots=True)
class GgmlHeader:
    """The dimensions of a Whisper model."""

    n_vocab: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int
    n_mels: int
    ftype: int

    @property
    def multilingual(self) -> bool:
        """Whether the model knows languages other than English."""
        return self.n_vocab > _ENGLISH_VOCABULARY


def read_header(path: Path) -> GgmlHeader:
    """The dimensions, checked to be those of some Whisper. Raises JobError `model_missing`, `model_invalid`."""
    try:
        with path.open("rb") as file:
            return _header(file)
    except OSError as error:
        raise JobError("model_missing", f"The model file {path.name} cannot be read.") from error


def check(path: Path) -> GgmlHeader:
    """The dimensions, after walking over all tensors: each must be whole and none may be missing.

    Reads some kilobytes only. Raises JobError `model_missing`, `model_invalid`.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = _header(file)
            _skip_filters(file)
            _skip_vocabulary(file, header)
            missing = expected_shapes(header).keys() - _tensors(file, size, header)
    except OSError as error:
        raise JobError("model_missing", f"The model file {path.name} cannot be read.") from error
    except struct.error as error:
        raise _invalid("it ends too early") from error
    if missing:
        raise _invalid(f"{len(missing)} of its tensors are missing")
    return header


def _header(file: BinaryIO) -> GgmlHeader:
    data = file.read(48)
    if len(data) < 48:
        raise _invalid("it is too short")
    magic, *values = struct.unpack("<12i", data)
    if magic != MAGIC:
        raise _invalid("it is not a ggml file")
    header = GgmlHeader(*values)
    plausible = (
        1_000 <= header.n_vocab <= 200_000
        and header.n_audio_ctx == 1500
        and 1 <= header.n_text_ctx <= 4096
        and all(16 <= state <= 8192 for state in (header.n_audio_state, header.n_text_state))
        and all(1 <= heads <= 128 for heads in (header.n_audio_head, header.n_text_head))
        and header.n_audio_state % header.n_audio_head == 0
        and header.n_text_state % header.n_text_head == 0
        and all(1 <= layers <= 64 for layers in (header.n_audio_layer, header.n_text_layer))
        and header.n_mels in (80, 128)
        and header.ftype % 1000 in (0, 1, 2, 3, 7, 8, 9)
    )
    if not plausible:
        raise _invalid("its dimensions are not those of a Whisper model")
    return header


def _skip_filters(file: BinaryIO) -> None:
    n_mels, n_fft = struct.unpack("<2i", file.read(8))
    if n_mels not in (80, 128) or n_fft != 201:
        raise _invalid("its mel filters are wrong")
    file.seek(4 * n_mels * n_fft, 1)


def _skip_vocabulary(file: BinaryIO, header: GgmlHeader) -> None:
    (count,) = struct.unpack("<i", file.read(4))
    if not 0 < count <= header.n_vocab:
        raise _invalid("its vocabulary is wrong")
    for _ in range(count):
        (length,) = struct.unpack("<I", file.read(4))
        if length > _MAX_TOKEN_BYTES:
            raise _invalid("its vocabulary is wrong")
        file.seek(length, 1)


def _tensors(file: BinaryIO, size: int, header: GgmlHeader) -> set[str]:
    """The names of all tensors, each whole and of the shape that the header's dimensions ask for."""
    expected = expected_shapes(header)
    names: set[str] = set()
    while len(head := file.read(12)) == 12:
        dimensions, name_length, kind = struct.unpack("<3i", head)
        if not 1 <= dimensions <= 4 or not 1 <= name_length <= 256 or kind not in BLOCKS:
            raise _invalid("one of its tensors is broken")
        shape = struct.unpack(f"<{dimensions}i", file.read(4 * dimensions))
        weights = 1
        for extent in shape:
            if extent < 1:
                raise _invalid("one of its tensors is broken")
            weights *= extent
        block_bytes, block_weights = BLOCKS[kind]
        name = file.read(name_length).decode("utf-8", "replace")
        if expected.get(name) != _bare(shape):
            raise _invalid(f"its tensor {name[:80]} does not fit its dimensions")
        if file.seek(weights // block_weights * block_bytes, 1) > size:
            raise _invalid("it was cut off inside a tensor")
        names.add(name)
    return names


def _bare(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without its ones: files differ in whether a bias is a column."""
    return tuple(extent for extent in shape if extent != 1)


def expected_shapes(header: GgmlHeader) -> dict[str, tuple[int, ...]]:
    """Every tensor of such a model with its shape, innermost extent first, without ones."""
    audio, text = header.n_audio_state, header.n_text_state
    shapes = {
        "encoder.positional_embedding": (audio, header.n_audio_ctx),
        "encoder.conv1.weight": (3, header.n_mels, audio),
        "encoder.conv1.bias": (audio,),
        "encoder.conv2.weight": (3, audio, audio),
        "encoder.conv2.bias": (audio,),
        "encoder.ln_post.weight": (audio,),
        "encoder.ln_post.bias": (audio,),
        "decoder.positional_embedding": (text, header.n_text_ctx),
        "decoder.token_embedding.weight": (text, header.n_vocab),
        "decoder.ln.weight": (text,),
        "decoder.ln.bias": (text,),
    }
    for layer in range(header.n_audio_layer):
        shapes |= _block(f"encoder.blocks.{layer}", audio, ("attn",))
    for layer in range(header.n_text_layer):
        shapes |= _block(f"decoder.blocks.{layer}", text, ("attn", "cross_attn"))
    return shapes


def _block(prefix: str, width: int, attentions: Sequence[str]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"{prefix}.mlp.0.weight": (width, 4 * width),
        f"{prefix}.mlp.0.bias": (4 * width,),
        f"{prefix}.mlp.2.weight": (4 * width, width),
        f"{prefix}.mlp.2.bias": (width,),
    }
    for norm in ("mlp_ln", *(f"{attention}_ln" for attention in attentions)):
        shapes |= {f"{prefix}.{norm}.weight": (width,), f"{prefix}.{norm}.bias": (width,)}
    for attention in attentions:
        for part in ("query", "key", "value", "out"):
            shapes[f"{prefix}.{attention}.{part}.weight"] = (width, width)
            if part != "key":
                shapes[f"{prefix}.{attention}.{part}.bias"] = (width,)
    return shapes


def _invalid(why: str) -> JobError:
    return JobError(
        "model_invalid",
        f"The model file cannot be used: {why}. Put a whole one in its place, or name another model.",
    )
