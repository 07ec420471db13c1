"""Which engine takes a job. The rule is pure; what is installed is looked up by `availability`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.asr import models
from app.asr.ctranslate import check_folder, check_mlx_folder
from app.asr.engines import cpu
from app.asr.engines.registry import ENGINES, installed
from app.asr.languages import LANGUAGES
from app.asr.types import AUTO, MIXED, TOKENS, EngineSpec
from app.core.errors import InvalidInputError, JobError

MODEL_MISSING = "model_missing"
MODEL_INVALID = "model_invalid"
ENGINE_MISSING = "engine_missing"
ENGINE_ELSEWHERE = "engine_elsewhere"  # made for another kind of machine
# Why a provider is not asked
CLOUD_NOT_CONFIGURED = "cloud_not_configured"
CLOUD_FORBIDDEN = "cloud_forbidden"
CLOUD_LIMIT = "cloud_limit"
CLOUD_SPEND_LIMIT = "cloud_spend_limit"
MODEL_RETIRED = "model_retired"
PROVIDER_DOWN = "provider_down"
LANGUAGE_UNSUPPORTED = "language_unsupported"
TRANSLATION_UNSUPPORTED = "translation_unsupported"


@dataclass(frozen=True, slots=True)
class Choice:
    """`spec` None means that the job has to wait for `wait_reason`. `reasons` say why others were passed over."""

    spec: EngineSpec | None
    wait_reason: str | None = None
    reasons: tuple[str, ...] = ()

    @property
    def low_accuracy(self) -> bool:
        return self.spec is not None and self.spec.low_accuracy

    @property
    def why(self) -> str:
        """The reasons as a text: some are whole sentences, others parts of one."""
        return " ".join(f"{reason.rstrip('.')}." for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether an engine can run now: its spec, or the reason (a code and a sentence) why it cannot."""

    spec: EngineSpec | None
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine as a client's list of choices shows it."""

    name: str
    available: bool
    low_accuracy: bool
    reason: str | None


def choose(
    engine: str | None,
    language: str,
    *,
    order: Sequence[str],
    look: Callable[[str], Availability],
    strict: bool,
    translate: bool = False,
) -> Choice:
    """The first of `order` that is available, knows `language` and can `translate` where that is asked, or just
    `engine` where one is named.

    `strict` (production): where the first engine's model is missing the job waits for it, it never falls through to
    a worse engine unasked. An engine of `order` that is made for other machines is passed over without a word.
    """
    reasons: list[str] = []
    codes: list[str] = []
    for name in [engine] if engine is not None else order:
        refusal = _language_refusal(name, language) or _translate_refusal(name, translate)
        found = look(name) if refusal is None else Availability(None, LANGUAGE_UNSUPPORTED, refusal)
        if found.spec is not None and translate and _cannot_translate(found.spec.model):
            found = Availability(
                None, TRANSLATION_UNSUPPORTED, f"the model {found.spec.model} was not made to translate"
            )
        if found.spec is not None:
            return Choice(found.spec, reasons=tuple(reasons))
        if engine is None and found.code == ENGINE_ELSEWHERE:
            continue
        reasons.append(f"{name}: {found.reason}")
        codes.append(found.code or ENGINE_MISSING)
        if engine is not None or (strict and found.code in (MODEL_MISSING, MODEL_INVALID)):
            break
    return Choice(None, wait_reason=codes[0] if codes else ENGINE_MISSING, reasons=tuple(reasons))


@dataclass(frozen=True, slots=True)
class Variants:
    """What the operator set for single engines: folders of the optional ones' models, their device, and how
    whisper_cpp finds the times of words (TOKENS or DTW)."""

    faster_whisper_model: str = ""
    faster_whisper_device: str = "auto"
    mlx_model: str = ""
    word_times: str = TOKENS


def availability(name: str, model: str, models_dir: Path, variants: Variants = Variants()) -> Availability:
    """What is installed on this machine. Reads the disk; the first look at a model hashes it."""
    info = ENGINES.get(name)
    if info is not None and info.system not in (None, sys.platform):
        return Availability(None, ENGINE_ELSEWHERE, info.missing)
    if info is None or not installed(name):
        return Availability(
            None, ENGINE_MISSING, info.missing if info is not None else "there is no such engine"
        )
    if info.needs_network:
        return Availability(None, CLOUD_NOT_CONFIGURED, "a provider, which only the server asks")
    unfit = cpu.problem() if name == "whisper_cpp" else None
    if unfit is not None:
        return Availability(None, ENGINE_MISSING, unfit)
    if not info.needs_model:
        return Availability(EngineSpec(name, low_accuracy=info.low_accuracy))
    if name == "mlx" or (name == "faster_whisper" and variants.faster_whisper_model):
        return _folder(name, variants)
    try:
        file = models.resolve(model, models_dir)
    except JobError as error:
        return Availability(None, MODEL_INVALID, error.message)
    if file is None:
        return Availability(
            None,
            MODEL_MISSING,
            f"the model {model} is not here; `transcribe models download {model}` gets it"
            if models.is_known(model)
            else f"there is no model file {model}",
        )
    device = variants.faster_whisper_device if name == "faster_whisper" else None
    word_times = variants.word_times if name == "whisper_cpp" else TOKENS
    spec = EngineSpec(name, file.name, str(file.path), device=device, word_times=word_times)
    return Availability(spec)


def _folder(name: str, variants: Variants) -> Availability:
    """An engine whose model is a folder that the operator names."""
    fast = name == "faster_whisper"
    wanted = variants.faster_whisper_model if fast else variants.mlx_model
    if not wanted:
        return Availability(
            None, MODEL_MISSING, "MLX_MODEL names no folder with a Whisper model in MLX's layout"
        )
    folder = Path(wanted).expanduser().absolute()
    try:
        (check_folder if fast else check_mlx_folder)(folder)
    except JobError as error:
        return Availability(None, error.code, error.message)
    device = variants.faster_whisper_device if fast else None
    return Availability(EngineSpec(name, model=folder.name, model_path=str(folder), device=device))


def list_engines(
    model: str,
    models_dir: Path,
    cloud: Mapping[str, Availability] | None = None,
    variants: Variants = Variants(),
) -> list[EngineStatus]:
    """Every engine, and whether a job that names it would run now. `cloud` is what is known of the providers."""
    statuses = []
    for info in ENGINES.values():
        found = (cloud or {}).get(info.name) or availability(info.name, model, models_dir, variants)
        statuses.append(EngineStatus(info.name, found.spec is not None, info.low_accuracy, found.reason))
    return statuses


def validate_request(
    engine: str | None,
    model: str | None,
    language: str,
    *,
    own_files: bool = False,
    translate: bool = False,
) -> None:
    """What a caller may ask for; a model by path only with `own_files`. Raises `InvalidInputError` with the field.

    A provider's models are not looked at here: `app.services.jobs.cloud_gate` knows them.
    """
    if engine is not None and engine != "auto" and engine not in ENGINES:
        raise InvalidInputError(
            f"There is no engine named {engine}. Choose from {', '.join(ENGINES)}.", field="engine"
        )
    is_own = own_files and model is not None and models.is_path(model)
    remote = engine in ENGINES and ENGINES[engine].needs_network
    if model is not None and not remote and not is_own and not models.is_known(model):
        raise InvalidInputError(
            f"There is no model named {model}. `transcribe models list` shows them all.", field="model"
        )
    if language not in (AUTO, MIXED) and language not in LANGUAGES:
        raise InvalidInputError(
            f"There is no language {language}. Use a code as Whisper knows it, as en, de or ru; auto finds out.",
            field="language",
        )
    refusal = _language_refusal(engine, language) if engine else None
    if refusal is not None:
        raise InvalidInputError(f"{engine} {refusal}.", field="language")
    if translate and _cannot_translate(model):
        raise InvalidInputError(
            f"The model {model} was not made to translate: it would write the language that is spoken. Choose another.",
            field="translate",
        )
    refusal = _translate_refusal(engine, translate) if engine else None
    if refusal is not None:
        raise InvalidInputError(f"{engine} {refusal}.", field="translate")


def _language_refusal(engine: str, language: str) -> str | None:
    info = ENGINES.get(engine)
    if info is None or info.languages == "any" or language in (AUTO, MIXED) or language in info.languages:
        return None
    return f"knows only {', '.join(info.languages)}"


def _cannot_translate(model: str | None) -> bool:
    """Whisper's turbo models were trained without translations and answer in the spoken language."""
    return model is not None and "turbo" in model


def _translate_refusal(engine: str, translate: bool) -> str | None:
    info = ENGINES.get(engine)
    return "cannot translate" if translate and info is not None and not info.translates else None
