"""Row 14: the scripts of a site run in deno as yt-dlp starts it, which gives them neither network nor files.

Each refusal is told from a script that is simply wrong by the same script with the right given.
"""

from __future__ import annotations

import json
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from yt_dlp.extractor.youtube.jsc._builtin.deno import DenoJCP

DENO = shutil.which("deno", path=str(Path(sys.executable).parent))
OPTIONS = [*DenoJCP._DENO_BASE_OPTIONS, "--no-npm", "--cached-only"]
SECONDS = 120

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64", "arm64"),
    reason="there is no wheel of deno for this machine",
)

# An attempt, and the right with which it goes through at once. `{port}` is that of a listener on loopback that never
# answers, `{file}` holds a word, `{program}` exists.
ATTEMPTS = {
    "fetch": ("await fetch('http://127.0.0.1:{port}/')", None),
    "connect": ("await Deno.connect({{ hostname: '127.0.0.1', port: {port} }})", "--allow-net"),
    "websocket": ("new WebSocket('ws://127.0.0.1:{port}/')", None),
    "listen": ("Deno.listen({{ hostname: '127.0.0.1', port: 0 }})", "--allow-net"),
    "resolve": ("await Deno.resolveDns('example.org', 'A')", None),
    "read": ("await Deno.readTextFile({file})", "--allow-read"),
    "list": ("Array.from(Deno.readDirSync('/'))", "--allow-read"),
    "write": ("await Deno.writeTextFile({file} + '.new', 'x')", "--allow-write"),
    "environment": ("Deno.env.toObject()", "--allow-env"),
    "run": ("await new Deno.Command({program}).output()", "--allow-run"),
    "library": ("Deno.dlopen({file}, {{}})", None),
    "system": ("Deno.hostname()", "--allow-sys"),
}
# What an import is refused with; a script could otherwise bring more of itself, or another's file.
IMPORTS = ("await import('http://127.0.0.1:{port}/more.js')", "await import('npm:left-pad')")


@dataclass(frozen=True)
class Room:
    """Where scripts try to get out of, and the listener that nobody may reach."""

    listener: socket.socket
    file: Path

    def run(self, attempt: str, *rights: str) -> str:
        """The name of the error that the attempt ends with, `done` where it went through."""
        line = attempt.format(
            port=self.listener.getsockname()[1],
            file=json.dumps(str(self.file)),
            program=json.dumps(sys.executable),
        )
        script = f"try {{ {line}; console.log('done') }} catch (e) {{ console.log(e.name) }}; Deno.exit(0)"
        assert DENO is not None
        ended = subprocess.run(
            [DENO, "run", *OPTIONS, *rights, "-"],
            input=script,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={"DENO_DIR": str(self.file.parent / "deno"), "HOME": str(self.file.parent), "SECRET": "x"},
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def was_reached(self) -> bool:
        """Whether anybody has connected."""
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    assert DENO is not None, "the deno wheel is a dependency on this machine"
    file = tmp_path / "secret.txt"
    file.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Room(listener, file)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_row_14_a_script_of_a_site_has_no_rights(room: Room, name: str) -> None:
    attempt, _ = ATTEMPTS[name]
    assert room.run(attempt) == "NotCapable"
    assert not room.was_reached()
    assert not room.file.with_name("secret.txt.new").exists()


@pytest.mark.parametrize("attempt", IMPORTS)
def test_row_14_a_script_of_a_site_imports_nothing(room: Room, attempt: str) -> None:
    assert room.run(attempt) == "TypeError"
    assert not room.was_reached()


@pytest.mark.parametrize("name", [name for name, (_, right) in ATTEMPTS.items() if right is not None])
def test_the_same_scripts_go_through_where_they_have_the_right(room: Room, name: str) -> None:
    attempt, right = ATTEMPTS[name]
    assert right is not None
    assert room.run(attempt, right) == "done"
    assert room.was_reached() == (name == "connect")
