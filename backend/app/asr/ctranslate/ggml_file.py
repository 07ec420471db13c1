"""Reads a whole ggml Whisper file: mel bands, vocabulary, and tensors as numpy arrays.

Quantised blocks are taken apart as ggml does (ggml/src/ggml-quants.c, `dequantize_row_*`): 32 weights share a scale,
in q4_1 and q5_1 also an offset.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from app.asr.models import ggml
from app.asr.models.ggml import GgmlHeader

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class GgmlModel:
    """`vocabulary` holds the bytes of every text token that the file has, by id."""

    header: GgmlHeader
    vocabulary: tuple[bytes, ...]
    tensors: dict[str, Array]


def read(path: Path) -> GgmlModel:
    """The model: matrices and kernels as float16, vectors and positions as float32, shapes as PyTorch has them.

    Raises JobError `model_missing`, `model_invalid`.
    """
    header = ggml.check(path)
    with path.open("rb") as file:
        file.seek(48)
        bands, bins = struct.unpack("<2i", file.read(8))
        file.seek(4 * bands * bins, 1)
        (count,) = struct.unpack("<i", file.read(4))
        vocabulary = tuple(file.read(*struct.unpack("<I", file.read(4))) for _ in range(count))
        return GgmlModel(header, vocabulary, dict(_tensors(file)))


def _tensors(file: BinaryIO) -> Iterator[tuple[str, Array]]:
    while len(head := file.read(12)) == 12:
        dimensions, name_length, kind = struct.unpack("<3i", head)
        shape = struct.unpack(f"<{dimensions}i", file.read(4 * dimensions))[::-1]
        name = file.read(name_length).decode()
        weights = int(np.prod(shape))
        size, each = ggml.BLOCKS[kind]
        data = np.frombuffer(file.read(weights // each * size), np.uint8)
        values = _READERS[kind](data).reshape(shape)
        flat = name.endswith((".bias", "positional_embedding")) or ".ln" in name or "_ln" in name
        yield name, values.astype(np.float32 if flat else np.float16, copy=False)


def _f32(data: Array) -> Array:
    return data.view("<f4")


def _f16(data: Array) -> Array:
    return data.view("<f2")


def _halves(packed: Array) -> Array:
    """Two four-bit numbers a byte: the low ones are the first half of a block, the high ones its second."""
    return np.concatenate((packed & 0x0F, packed >> 4), axis=1)


def _fifth_bits(data: Array) -> Array:
    """The bit above the four, one a weight, as 0 or 16."""
    bits = np.unpackbits(data, axis=1, bitorder="little")
    return bits << 4


def _scale(blocks: Array, at: int = 0) -> Array:
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _q4_0(data: Array) -> Array:
    blocks = data.reshape(-1, 18)
    return _scale(blocks) * (_halves(blocks[:, 2:]).astype(np.float32) - 8)


def _q4_1(data: Array) -> Array:
    blocks = data.reshape(-1, 20)
    return _scale(blocks) * _halves(blocks[:, 4:]) + _scale(blocks, 2)


def _q5_0(data: Array) -> Array:
    blocks = data.reshape(-1, 22)
    return _scale(blocks) * ((_halves(blocks[:, 6:]) | _fifth_bits(blocks[:, 2:6])).astype(np.float32) - 16)


def _q5_1(data: Array) -> Array:
    blocks = data.reshape(-1, 24)
    return _scale(blocks) * (_halves(blocks[:, 8:]) | _fifth_bits(blocks[:, 4:8])) + _scale(blocks, 2)


def _q8_0(data: Array) -> Array:
    blocks = data.reshape(-1, 34)
    return _scale(blocks) * blocks[:, 2:].view(np.int8)


_READERS: dict[int, Callable[[Array], Array]] = {
    0: _f32,
    1: _f16,
    2: _q4_0,
    3: _q4_1,
    6: _q5_0,
    7: _q5_1,
    8: _q8_0,
}
