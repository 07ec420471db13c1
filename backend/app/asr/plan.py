"""What a plan of windows depends on, as one short string."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.asr.codec import options_to_json
from app.asr.engines.registry import ENGINES
from app.asr.segmentation.cutter import CutSettings
from app.asr.segmentation.regions import RegionSettings
from app.asr.types import EngineSpec, TranscribeOptions

PIPELINE_VERSION = 5  # raise it when decoding, segmentation or engine parameters change results
_LIBRARIES = ("av", "numpy", "silero-vad", "pywhispercpp", "pocketsphinx", "ctranslate2")


def plan_fingerprint(options: TranscribeOptions, spec: EngineSpec) -> str:
    """A hash to store with checkpoints: where it is the same, so are windows and results of the same bytes.

    A model counts by name and size: the catalogue pins the bytes of each name.
    """
    model = Path(spec.model_path) if spec.model_path else None
    if model is not None and model.is_dir():
        model = max(model.iterdir(), key=lambda file: file.stat().st_size, default=model)  # its weights
    remote = spec.engine in ENGINES and ENGINES[spec.engine].needs_network
    facts = {
        "pipeline": PIPELINE_VERSION,
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "regions": asdict(RegionSettings()),
        "cuts": asdict(CutSettings()),
        "options": options_to_json(
            # Here speakers are told apart after the text; a provider does both at once.
            options if remote else replace(options, speakers=None, max_speakers=None)
        ),
        "engine": spec.engine,
        "model": spec.model,
        "word_times": spec.word_times,
        "model_bytes": model.stat().st_size if model is not None and model.exists() else None,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
