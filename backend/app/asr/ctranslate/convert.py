"""Writes a CTranslate2 folder from a ggml Whisper file. Imports ctranslate2: runs in a process of its own."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperConfig, WhisperSpec

from app.asr.ctranslate import ggml_file, vocabulary
from app.asr.ctranslate.ggml_file import Array, GgmlModel

# Which attention heads follow the speech, for word times, as ctranslate2.converters.transformers has them.
_FAMILIES = ("tiny", "base", "small", "medium", "large-v2", "large-v3")


def convert(source: Path, folder: Path, name: str) -> None:
    """Fills the existing `folder`: int8 weights, configuration, vocabulary and tokenizer.

    `name` is the catalogue's, for the attention heads. Raises JobError `model_missing`, `model_invalid`; OSError
    where the folder cannot be written.
    """
    model = ggml_file.read(source)
    header = model.header
    spec = WhisperSpec(header.n_audio_layer, header.n_audio_head, header.n_text_layer, header.n_text_head)
    _encoder(spec.encoder, model)
    _decoder(spec.decoder, model)
    spec.register_vocabulary(vocabulary.token_names(model.vocabulary, header.n_vocab))
    _configure(spec.config, model, name)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _write(folder / "tokenizer.json", vocabulary.tokenizer_json(model.vocabulary, header.n_vocab))
    _write(
        folder / "preprocessor_config.json",
        {
            "feature_size": header.n_mels,
            "sampling_rate": 16_000,
            "hop_length": 160,
            "chunk_length": 30,
            "n_fft": 400,
        },
    )


def _configure(config: WhisperConfig, model: GgmlModel, name: str) -> None:
    header = model.header
    end = vocabulary.text_tokens(header.n_vocab)
    blank = model.vocabulary.index(b" ") if b" " in model.vocabulary else None
    config.suppress_ids = []
    config.suppress_ids_begin = [end] if blank is None else [blank, end]
    config.lang_ids = list(range(end + 2, end + 2 + vocabulary.languages(header.n_vocab)))
    config.alignment_heads = alignment_heads(name, header.n_text_layer, header.n_text_head)


def alignment_heads(name: str, layers: int, heads: int) -> list[tuple[int, int]]:
    """Layer and head of each; of a model that is not known, all of the later half of its layers."""
    from ctranslate2.converters import transformers

    family = name.partition("-q")[0]
    known = transformers._WHISPER_ALIGNMENT_HEADS.get(f"openai/whisper-{family}")
    if known and family.partition(".")[0] in _FAMILIES and max(layer for layer, _ in known) < layers:
        return [(layer, head) for layer, head in known]
    return list(itertools.product(range(layers // 2, layers), range(heads)))


def _encoder(spec: Any, model: GgmlModel) -> None:
    tensors = model.tensors
    for number in (1, 2):
        part = getattr(spec, f"conv{number}")
        part.weight = tensors[f"encoder.conv{number}.weight"]
        part.bias = tensors[f"encoder.conv{number}.bias"].reshape(-1)
    spec.position_encodings.encodings = tensors["encoder.positional_embedding"]
    _norm(spec.layer_norm, tensors, "encoder.ln_post")
    for layer, part in enumerate(spec.layer):
        block = f"encoder.blocks.{layer}"
        _self_attention(part.self_attention, tensors, f"{block}.attn")
        _feed_forward(part.ffn, tensors, block)


def _decoder(spec: Any, model: GgmlModel) -> None:
    tensors = model.tensors
    spec.embeddings.weight = spec.projection.weight = tensors["decoder.token_embedding.weight"]
    spec.position_encodings.encodings = tensors["decoder.positional_embedding"]
    _norm(spec.layer_norm, tensors, "decoder.ln")
    for layer, part in enumerate(spec.layer):
        block = f"decoder.blocks.{layer}"
        _self_attention(part.self_attention, tensors, f"{block}.attn")
        _cross_attention(part.attention, tensors, f"{block}.cross_attn")
        _feed_forward(part.ffn, tensors, block)


def _norm(spec: Any, tensors: dict[str, Array], name: str) -> None:
    spec.gamma, spec.beta = tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def _linear(spec: Any, tensors: dict[str, Array], *names: str) -> None:
    """One layer of several side by side; Whisper's keys have no bias."""
    weights = [tensors[f"{name}.weight"] for name in names]
    biases = [
        tensors.get(f"{name}.bias", np.zeros(weight.shape[0], np.float32)).reshape(-1)
        for name, weight in zip(names, weights, strict=True)
    ]
    spec.weight = np.concatenate(weights)
    spec.bias = np.concatenate(biases)


def _self_attention(spec: Any, tensors: dict[str, Array], name: str) -> None:
    _norm(spec.layer_norm, tensors, f"{name}_ln")
    _linear(spec.linear[0], tensors, *(f"{name}.{part}" for part in ("query", "key", "value")))
    _linear(spec.linear[1], tensors, f"{name}.out")


def _cross_attention(spec: Any, tensors: dict[str, Array], name: str) -> None:
    _norm(spec.layer_norm, tensors, f"{name}_ln")
    _linear(spec.linear[0], tensors, f"{name}.query")
    _linear(spec.linear[1], tensors, f"{name}.key", f"{name}.value")
    _linear(spec.linear[2], tensors, f"{name}.out")


def _feed_forward(spec: Any, tensors: dict[str, Array], block: str) -> None:
    _norm(spec.layer_norm, tensors, f"{block}.mlp_ln")
    _linear(spec.linear_0, tensors, f"{block}.mlp.0")
    _linear(spec.linear_1, tensors, f"{block}.mlp.2")


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
