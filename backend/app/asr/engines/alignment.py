"""Which attention heads of a Whisper model follow the sound, for word times by dynamic time warping (DTW)."""

from __future__ import annotations

from dataclasses import dataclass

from app.asr.models.ggml import GgmlHeader

_FRAMES = 1500
_TOKENS = 256  # no window has more text tokens: the decoder stops at 224
_COPIES = 6  # tensors of that shape that whisper.cpp holds at once, with a reserve
_BYTES = 4
_FEWEST_MB = 128

# layers and heads of the decoder, and whether the model is multilingual: the library's preset, and its heads
_PRESETS = {
    (4, 6, False): ("TINY_EN", 8),
    (4, 6, True): ("TINY", 6),
    (6, 8, False): ("BASE_EN", 5),
    (6, 8, True): ("BASE", 8),
    (12, 12, False): ("SMALL_EN", 19),
    (12, 12, True): ("SMALL", 10),
    (24, 16, False): ("MEDIUM_EN", 18),
    (24, 16, True): ("MEDIUM", 6),
    (32, 20, True): ("LARGE_V2", 23),  # v1 has the same dimensions; the catalogue does not offer it
    (4, 20, True): ("LARGE_V3_TURBO", 6),
}
_LARGE_V3_MELS = 128


@dataclass(frozen=True, slots=True)
class Heads:
    """`preset` is a name of whisper.cpp's WHISPER_AHEADS_*; with N_TOP_MOST all heads of the last `layers` count.
    `memory` is in bytes."""

    preset: str
    layers: int
    memory: int


def heads(header: GgmlHeader) -> Heads:
    """The heads of a model: the measured ones of OpenAI's, else those of the upper half of its decoder, which is what
    OpenAI's own code takes for a model that it does not know."""
    key = (header.n_text_layer, header.n_text_head, header.multilingual)
    name, count = _PRESETS.get(key, ("", 0))
    if name == "LARGE_V2" and header.n_mels == _LARGE_V3_MELS:
        name, count = "LARGE_V3", 10
    if name:
        return Heads(name, -1, _memory(count))
    layers = header.n_text_layer - header.n_text_layer // 2
    return Heads("N_TOP_MOST", layers, _memory(layers * header.n_text_head))


def _memory(count: int) -> int:
    return max(_FEWEST_MB << 20, count * _FRAMES * _TOKENS * _COPIES * _BYTES)
