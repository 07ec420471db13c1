"""Whether voices can be told apart here, or what has to be done first."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.asr import models
from app.asr.diarization.types import Embedder
from app.core.errors import JobError

PACKAGE = "sherpa_onnx"


@dataclass(frozen=True, slots=True)
class Availability:
    """`embedder` is ready for `diarize`; where it is None, `reason` is a sentence that says what to do."""

    embedder: Embedder | None = None
    reason: str | None = None

    @property
    def usable(self) -> bool:
        return self.embedder is not None


def availability(model_name: str, models_dir: Path) -> Availability:
    """Looks for the package without importing it, and for the model, whose bytes are checked the first time.

    `model_name` is a name of the catalogue or the path of the operator's own .onnx file. Never raises.
    """
    if find_spec(PACKAGE) is None:
        return Availability(
            reason="The package that tells voices apart is not installed on this server. Install it with"
            " `make extras EXTRAS=speakers`, then start the server again."
        )
    try:
        path = _find(model_name, models_dir)
    except JobError as error:
        return Availability(reason=error.message)
    if path is None:
        return Availability(reason=_missing(model_name))
    return Availability(Embedder(str(path)))


def _find(model_name: str, models_dir: Path) -> Path | None:
    """The model's file, None where it is not here. Raises JobError `model_invalid`."""
    entry = models.find(model_name)
    if entry is not None and entry.kind != "speakers":
        raise JobError(
            "model_invalid",
            f"{model_name} is no model that tells whose voice is whose. Set DIARIZATION_MODEL to one that is, such as"
            " nemo_en_titanet_small.",
        )
    found = models.resolve(model_name, models_dir)
    return found.path if found is not None else None


def _missing(model_name: str) -> str:
    if models.is_path(model_name):
        return f"There is no file {model_name}. Set DIARIZATION_MODEL to a model that is here."
    if models.find(model_name) is None:
        return f"There is no model called {model_name}. `transcribe models list` shows which there are."
    return (
        f"The model {model_name}, which tells voices apart, is not on this server. Download it with"
        f" `transcribe models download {model_name}`, then try again."
    )
