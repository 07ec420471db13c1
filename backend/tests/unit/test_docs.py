"""What the repository says about itself is true: links lead somewhere, locks name no host, the map is complete."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import PROJECT_ROOT

PYTHON_LOCKS = sorted((PROJECT_ROOT / "backend").glob("requirements*.lock"))
LOCKS = [*PYTHON_LOCKS, PROJECT_ROOT / "frontend" / "package-lock.json"]
TOP = [PROJECT_ROOT / name for name in ("README.md", "CHANGELOG.md")]
PAGES = [*TOP, *sorted((PROJECT_ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Package registries and mirrors: a lock that names one works only where that one is reachable.
HOST = re.compile(r"https?://[^\s\"']+")
NOT_A_REGISTRY = re.compile(
    r"https?://(www\.)?(github\.com|opencollective\.com|paypal\.me|patreon\.com|tidelift\.com)"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT))


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_locks_name_no_registry(lock: Path) -> None:
    text = lock.read_text("utf-8")
    lines = [line for line in text.splitlines() if '"url":' not in line]  # npm's funding links
    found = [link for line in lines for link in HOST.findall(line) if not NOT_A_REGISTRY.match(link)]
    assert found == []
    assert "--index-url" not in text
    assert "--find-links" not in text
    assert '"resolved": "http' not in text


@pytest.mark.parametrize("lock", PYTHON_LOCKS, ids=name_of)
def test_row_52_python_locks_are_hashed_and_torch_stays_out(lock: Path) -> None:
    lines = re.findall(r"^[a-z0-9][^\n]*==[^\n]*", lock.read_text("utf-8"), flags=re.MULTILINE)
    installed = {line.split("==")[0] for line in lines if "sys_platform == 'never'" not in line}
    assert installed
    assert not {"torch", "torchaudio", "onnxruntime", "sounddevice", "passlib", "bcrypt"} & installed
    blocks = re.split(r"^(?=[a-z0-9])", lock.read_text("utf-8"), flags=re.MULTILINE)
    assert [block.split("==")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


def test_the_development_lock_holds_what_the_server_runs_on() -> None:
    run, dev = (
        (PROJECT_ROOT / "backend" / f"requirements{kind}.lock").read_text("utf-8") for kind in ("", "-dev")
    )
    pins = re.compile(r"^([a-z0-9][^ \\]*==[^ \\]+)", re.MULTILINE)
    assert set(pins.findall(run)) <= set(pins.findall(dev))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    local = [
        link.split("#")[0] for link in LINK.findall(text) if not link.startswith(("http", "#", "mailto:"))
    ]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_in_the_documents_exist(page: Path) -> None:
    named = set(re.findall(r"`make ([a-z0-9-]+)", page.read_text("utf-8")))
    assert named <= targets()


def targets() -> set[str]:
    text = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z0-9-]*):(?!=)", text, flags=re.MULTILINE))


def test_the_map_lists_every_target() -> None:
    shown = subprocess.run(["make", "--no-print-directory"], cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    listed = set(re.findall(r"^ +make ([a-z0-9-]+)  +\S", shown.stdout, flags=re.MULTILINE))
    assert listed == targets()
    phony = re.search(r"^\.PHONY: (.+)$", (PROJECT_ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == targets()
    wanted = "setup run dev test test-backend test-frontend test-e2e lint fmt types migrate revision openapi bench clean"
    assert set(wanted.split()) <= listed


def test_every_error_code_is_documented() -> None:
    """The list of codes in docs/api.md is closed: who raises a new one has to add it there."""
    page = (PROJECT_ROOT / "docs" / "api.md").read_text("utf-8")
    codes = {code for path in (PROJECT_ROOT / "backend" / "app").rglob("*.py") for code in codes_in(path)}
    assert {"not_found", "wrong_password", "no_audio_stream"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in page) == []


def codes_in(path: Path) -> Iterator[str]:
    """Codes of error classes (`status, code = 404, "..."`), of `code="..."` and of `JobError("...")`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        given: list[ast.expr] = []
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "(status, code)":
            given = node.value.elts[1:] if isinstance(node.value, ast.Tuple) else []
        elif isinstance(node, ast.Call):
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            given += node.args[:1] if ast.unparse(node.func) == "JobError" else []
        yield from (
            item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)
        )


def test_the_threat_table_is_sorted_and_names_tests_that_are_there() -> None:
    page = (PROJECT_ROOT / "docs" / "security.md").read_text("utf-8")
    tests = PROJECT_ROOT / "backend" / "tests"
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", page, re.MULTILINE)
    numbers = [int(number) for number, _ in rows]
    assert numbers == sorted(numbers)
    limits = page.partition("## Known limits")[2].partition("##")[0]
    untested = {int(number) for number in re.findall(r"(\d+) \(", limits)}
    assert set(numbers) | untested == set(range(1, 59))
    for number, named in rows:
        files = re.findall(r"`([\w/]+\.py)`", named)
        assert files
        found = [name for name in files if f"def test_row_{number}_" in (tests / name).read_text("utf-8")]
        assert found, f"row {number}: no test of {named} has it in its name"
