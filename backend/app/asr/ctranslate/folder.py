"""A folder with a Whisper model in CTranslate2's layout: where it is, and whether it is whole.

What was converted here carries a note with the size of every file and the facts of the source; a folder of the
operator's own (any converter's) is looked at by its structure.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from app.asr.ctranslate.vocabulary import ENGLISH
from app.asr.models import catalogue
from app.core.errors import JobError

NOTE = "source.json"
LAYOUT = 1  # counts up when conversion writes something else, so that older folders are made anew
_SPEC = b"WhisperSpec\0"
_NEEDED = ("config.json", "tokenizer.json")
_MLX_WEIGHTS = ("model.safetensors", "weights.safetensors", "weights.npz")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")


def folder_for(source: Path) -> Path:
    """Where a ggml file's conversion belongs: `ct2/NAME-FACTS` beside it. Another file of the same name gets another."""
    return source.parent / "ct2" / f"{source.stem}-{facts_of(source)}"


def facts_of(source: Path) -> str:
    """Twelve hex digits: of the pinned SHA-256 where the catalogue has the file, else of size and time of change."""
    pinned = next((entry.sha256 for entry in catalogue() if entry.file == source.name), None)
    stat = source.stat()
    own = f"{source.name} {stat.st_size} {stat.st_mtime_ns}"
    text = f"{LAYOUT} {own if pinned is None else f'{pinned} {stat.st_size}'}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_converted(folder: Path) -> bool:
    """Whether a conversion is here with every file in its full size."""
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text("utf-8"))
        return note["layout"] == LAYOUT and all(
            (folder / name).stat().st_size == size for name, size in note["files"].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def seal(folder: Path, source: Path) -> None:
    """Notes what is in a finished conversion."""
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.name != NOTE}
    note = {"layout": LAYOUT, "source": source.name, "files": files}
    (folder / NOTE).write_text(json.dumps(note), "utf-8")


def check_folder(folder: Path) -> None:
    """Before native code sees it. Raises JobError `model_missing`, `model_invalid`."""
    if not folder.is_dir():
        raise JobError("model_missing", f"There is no folder {folder} with a CTranslate2 model.")
    try:
        with (folder / "model.bin").open("rb") as file:
            head = file.read(6 + len(_SPEC))
        for name in _NEEDED:
            if not isinstance(json.loads((folder / name).read_text("utf-8")), dict):
                raise _invalid(folder, f"{name} is not what it should be")
    except OSError as error:
        raise _invalid(folder, f"{Path(error.filename or '').name} cannot be read") from error
    except ValueError as error:
        raise _invalid(folder, "one of its JSON files is broken") from error
    if len(head) < 6 or head[6:] != _SPEC or struct.unpack("<IH", head[:6])[1] != len(_SPEC):
        raise _invalid(folder, "model.bin is not a Whisper model")
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise _invalid(folder, "it has no vocabulary")
    if (folder / NOTE).exists() and not is_converted(folder):
        raise _invalid(folder, "a file of it has changed")


def check_mlx_folder(folder: Path) -> None:
    """The same for a model in MLX's layout. Raises JobError `model_missing`, `model_invalid`."""
    if not folder.is_dir():
        raise JobError("model_missing", f"There is no folder {folder} with a model for MLX.")
    try:
        facts = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _mlx_invalid(folder, "its config.json cannot be read") from error
    if not isinstance(facts, dict) or not isinstance(facts.get("n_vocab"), int):
        raise _mlx_invalid(folder, "its config.json is not that of a Whisper model")
    if not any((folder / name).is_file() for name in _MLX_WEIGHTS):
        raise _mlx_invalid(folder, "it has no weights")


def is_multilingual(folder: Path) -> bool:
    """Whether the model knows languages other than English: the English vocabulary has one token less.

    Reads MLX's layout, too, which tells the number. Raises JobError `model_invalid`.
    """
    try:
        facts = json.loads((folder / "config.json").read_text("utf-8"))
        if "n_vocab" in facts:
            return int(facts["n_vocab"]) > ENGLISH
        for name in _VOCABULARIES:
            if (folder / name).is_file():
                text = (folder / name).read_text("utf-8")
                return (len(json.loads(text)) if name.endswith(".json") else text.count("\n")) > ENGLISH
    except (OSError, ValueError, TypeError) as error:
        raise _invalid(folder, "its vocabulary cannot be read") from error
    raise _invalid(folder, "it has no vocabulary")


def _invalid(folder: Path, why: str) -> JobError:
    return JobError(
        "model_invalid",
        f"The CTranslate2 model {folder.name} cannot be used: {why}. Delete the folder; what was converted from"
        " WHISPER_MODEL is made again.",
    )


def _mlx_invalid(folder: Path, why: str) -> JobError:
    return JobError("model_invalid", f"The model {folder.name} cannot be used with MLX: {why}.")
