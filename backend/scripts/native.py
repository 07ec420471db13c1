"""Builds pywhispercpp from its own source with faster kernels, and measures it against the published wheel.

    native.py             build, measure, and put it into .venv in place of the wheel
    native.py --side      build and measure only; `python -m bench engines` finds it in .venv/native
    native.py --undo      put the wheel of requirements.lock back
    native.py --unmeasured [--uv PATH]     only put it in, as the Docker image does

The same version and source, by the hash in requirements.lock, with two flags of ggml: LLAMAFILE brings the matrix
kernels that the wheel was built without, NATIVE off keeps the result portable (AVX2 on x86-64, as the wheel).
It needs a C++ compiler; cmake and ninja come from PyPI for the build alone. The result stays through `make setup`
until the lock names another version.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[1]
VENV = BACKEND.parent / ".venv"
PYTHON, UV = VENV / "bin" / "python", VENV / "tools" / "uv" / "bin" / "uv"
SIDE = VENV / "native"
PACKAGE = "pywhispercpp"
# Without a run path the extension does not find the libraries beside it; the wheel has its own repaired by hand.
HERE = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
FLAGS = (
    "-DGGML_NATIVE=OFF",
    "-DGGML_LLAMAFILE=ON",
    f"-DCMAKE_INSTALL_RPATH={HERE}",
    "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON",
)
# The package's setup.py hands every variable of the environment to cmake as -D: only these may pass.
KEPT = re.compile(r"(PATH|HOME|LANG|TMPDIR|SDKROOT|(UV|SSL)_.*|(https?|no|all)_proxy)", re.IGNORECASE)


def main() -> int:
    """Exit code 1 with a sentence where the machine lacks something."""
    parser = argparse.ArgumentParser(description="Builds pywhispercpp with faster kernels.")
    parser.add_argument("--side", action="store_true", help="leave .venv as it is")
    parser.add_argument("--undo", action="store_true", help="put the published wheel back")
    parser.add_argument("--unmeasured", action="store_true", help="build and install only")
    parser.add_argument("--uv", type=Path, default=UV, help="where uv is")
    arguments = parser.parse_args()
    if arguments.undo:
        install(arguments.uv, built=False)
        say("the published wheel is back")
        return 0
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        say("a C++ compiler is missing. On Debian and Ubuntu:  sudo apt-get install g++")
        return 1
    say("building; about a minute on two quiet cores ...")
    began = time.monotonic()
    if (
        not arguments.side
    ):  # first, because a reinstallation builds anew, and the folder then takes what was built
        install(arguments.uv, built=True)
    if not arguments.unmeasured:
        install(arguments.uv, built=True, target=SIDE / "fast")
        install(arguments.uv, built=False, target=SIDE / "wheel")
    say(f"built in {time.monotonic() - began:.0f} s")
    if not arguments.unmeasured:
        subprocess.run([str(PYTHON), "-m", "bench.builds"], cwd=BACKEND, check=True)
    if not arguments.side:
        say(f"installed into {VENV.name}; `make native ARGS=--undo` goes back to the wheel")
    return 0


def install(uv: Path, *, built: bool, target: Path | None = None) -> None:
    """Installs from source with our flags, or the wheel: into the environment, or into a folder of its own."""
    command = [str(uv), "pip", "install", "--quiet", "--python", str(PYTHON), "--no-deps", "--require-hashes"]
    if built:
        # What is told here is part of the key under which uv keeps what it built.
        command += ["--no-binary", PACKAGE, "--config-settings", f"flags={' '.join(FLAGS)}"]
    else:
        command += ["--only-binary", PACKAGE]
    if target is None:
        command += ["--reinstall-package", PACKAGE]
    else:
        shutil.rmtree(target, ignore_errors=True)
        command += ["--target", str(target)]
    environment = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    environment |= {"CMAKE_ARGS": " ".join(FLAGS), "UV_PYTHON_DOWNLOADS": "never"} if built else {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text(locked(), "utf-8")
        result = subprocess.run([*command, "-r", str(wanted)], env=environment, check=False)
    if result.returncode:
        raise SystemExit("native: uv could not install pywhispercpp; see the message above.")


def locked() -> str:
    """The lock's lines about the package, with the hashes of all its files."""
    text = (BACKEND / "requirements.lock").read_text("utf-8")
    found = re.search(rf"^{PACKAGE}==[^\n]*\n(?:[ ]{{4}}--hash=[^\n]*\n)+", text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"native: {PACKAGE} is not in requirements.lock")
    return found[0]


def say(text: str) -> None:
    print(f"native: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
