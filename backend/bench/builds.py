"""Which builds of whisper.cpp are here, and how fast each is: also what `make native` shows."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from app.asr.types import EngineSpec
from bench.contender import Contender, Taken
from tests.fixtures import scripted_model

SIDE = Path(__file__).resolve().parents[2] / ".venv" / "native"
ROUNDS = 3


def side(name: str) -> Path | None:
    """The folder of a build that `make native` left, "fast" or "wheel"; None where it is not there."""
    folder = SIDE / name
    return folder if any(folder.glob("_pywhispercpp*")) else None


def main() -> None:
    """Seconds a window of both, taken in turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        model = scripted_model.build("base", Path(folder) / "base-q8_0.bin", "q8_0")
        spec = EngineSpec("whisper_cpp", "base", str(model))
        both = {name: stack.enter_context(Contender(spec, side(name))) for name in ("wheel", "fast")}
        for contender in both.values():
            contender.window()
        taken: dict[str, list[Taken]] = {name: [] for name in both}
        for _ in range(ROUNDS):
            for name, contender in both.items():
                taken[name].append(contender.window())
    wall = [median(turn.wall for turn in taken[name]) for name in ("wheel", "fast")]
    cpu = [median(turn.cpu for turn in taken[name]) for name in ("wheel", "fast")]
    print(
        f"native: base q8_0, one thread, a window of 30 s: {wall[0]:.2f} s before, {wall[1]:.2f} s after"
        f" (CPU time {cpu[0]:.2f} s before, {cpu[1]:.2f} s after: {cpu[0] / cpu[1]:.2f} x as fast)",
        flush=True,
    )


if __name__ == "__main__":
    main()
