"""Silero VAD in numpy: probability of speech for every 32 ms, with the state carried over the whole recording.

The network and its weights are those of the silero-vad package (MIT), whose own code would import torch. Its
safetensors file holds other weights than its ONNX files (only the STFT is the same), so about 1.5 % of frames differ
from those; given the weights of the ONNX file, this code gives its probabilities to 2e-5. `python -m bench vad`
measures the quality.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.asr.segmentation.clock import FRAME

CONTEXT = 64  # samples of the previous frame that the network sees again
BATCH = 64  # frames; fixed, so that rounding does not depend on how the samples arrive

F32 = npt.NDArray[np.float32]


class SpeechDetector:
    """Feed it samples, get probabilities. Not shared between recordings."""

    def __init__(self, weights: dict[str, F32] | None = None) -> None:
        self._w = weights or load_weights()
        self._pending = np.zeros(0, np.int16)
        self._tail = np.zeros(CONTEXT, np.float32)
        self._h = np.zeros(128, np.float32)
        self._c = np.zeros(128, np.float32)
        self._stft = np.ascontiguousarray(self._w["stft_conv.weight"].reshape(258, 256).T)
        self._convs = [
            (_kernel(self._w[f"conv{i}.weight"]), self._w[f"conv{i}.bias"], stride)
            for i, stride in ((1, 1), (2, 2), (3, 2), (4, 1))
        ]
        # Gates: input, forget, cell, output. sigmoid(x) = (1 + tanh(x / 2)) / 2, so that one tanh serves all four.
        half = np.full((512, 1), 0.5, np.float32)
        half[256:384] = 1
        self._w_ih = np.ascontiguousarray((self._w["lstm_cell.weight_ih"] * half).T)
        self._w_hh = np.ascontiguousarray(self._w["lstm_cell.weight_hh"] * half)
        self._bias = (self._w["lstm_cell.bias_ih"] + self._w["lstm_cell.bias_hh"]) * half[:, 0]
        self._out = self._w["final_conv.weight"].reshape(128)
        self._out_bias = float(self._w["final_conv.bias"][0])

    def feed(self, samples: npt.NDArray[np.int16]) -> F32:
        """Probabilities (0..1, shape (n,)) of the frames that these int16 samples complete, in batches."""
        self._pending = np.concatenate((self._pending, samples))
        whole = self._pending.size // (FRAME * BATCH)
        parts = [self._batch(self._take(BATCH)) for _ in range(whole)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> F32:
        """Probabilities of the frames left at the end; the last one is filled up with silence."""
        count = -(-self._pending.size // FRAME)
        if not count:
            return np.zeros(0, np.float32)
        padded = np.zeros(FRAME * BATCH, np.int16)
        padded[: self._pending.size] = self._pending
        self._pending = padded
        return self._batch(self._take(BATCH))[:count]

    def _take(self, frames: int) -> F32:
        """The next frames with their context, shape (frames, 576), scaled to -1..1."""
        size = frames * FRAME
        chunk = self._pending[:size].astype(np.float32) / 32768.0
        self._pending = self._pending[size:]
        rows = np.empty((frames, CONTEXT + FRAME), np.float32)
        rows[:, CONTEXT:] = chunk.reshape(frames, FRAME)
        rows[0, :CONTEXT] = self._tail
        rows[1:, :CONTEXT] = rows[:-1, -CONTEXT:]
        self._tail = chunk[-CONTEXT:].copy()
        return rows

    def _batch(self, rows: F32) -> F32:
        padded = np.concatenate((rows, rows[:, -2:-66:-1]), axis=1)  # reflected on the right
        spectrum = np.stack([padded[:, i * 128 : i * 128 + 256] for i in range(4)], axis=1) @ self._stft
        x: F32 = np.sqrt(spectrum[..., :129] ** 2 + spectrum[..., 129:] ** 2)
        for kernel, bias, stride in self._convs:
            x = _conv(x, kernel, bias, stride)
        gates_in = x[:, 0, :] @ self._w_ih + self._bias
        hidden = np.empty((len(rows), 128), np.float32)
        h, c, w_hh = self._h, self._c, self._w_hh
        for i, gate_in in enumerate(gates_in):
            gates = np.tanh(gate_in + w_hh @ h)
            opened = gates * 0.5 + 0.5
            c = opened[128:256] * c + opened[:128] * gates[256:384]
            h = opened[384:] * np.tanh(c)
            hidden[i] = h
        self._h, self._c = h, c
        logits = np.maximum(hidden, 0) @ self._out + self._out_bias
        probabilities: F32 = (np.tanh(logits * 0.5) * 0.5 + 0.5).astype(np.float32)
        return probabilities


def _kernel(weight: F32) -> F32:
    """(out, in, 3) as a matrix (3 * in, out)."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, weight.shape[0]))


def _conv(x: F32, kernel: F32, bias: F32, stride: int) -> F32:
    """Convolution of width 3, padding 1, and ReLU; x is (frames, steps, channels)."""
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    steps = range(0, x.shape[1], stride)
    columns = np.stack([padded[:, i : i + 3].reshape(len(x), -1) for i in steps], axis=1)
    out: F32 = np.maximum(columns @ kernel + bias, 0)
    return out


@cache
def weights_file() -> Path:
    """The weights inside the installed silero-vad package, found without importing it."""
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "The package silero-vad, which holds the weights of the speech detector, is missing."
        )
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad_16k.safetensors"


def load_weights(path: Path | None = None) -> dict[str, F32]:
    """Tensors of a safetensors file (8 bytes of header length, JSON, data) by name."""
    data = (path or weights_file()).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    body = memoryview(data)[8 + size :]
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(body[begin:end], "<f4").reshape(entry["shape"])
    return tensors
