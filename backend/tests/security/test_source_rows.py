"""Rows 9, 12, 43, 49, 51, 52 and 58 of the threat table: what the source must not hold, read from the source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from app.api.edges.headers import policy_for
from app.core.config import PROJECT_ROOT
from app.factory.celery import build_celery
from tests.fixtures.app import build_settings

APP = PROJECT_ROOT / "backend" / "app"
PAGES = PROJECT_ROOT / "frontend"

# What turns bytes of others into objects, programs or files. A reader that is needed is named here with its limits.
UNPICKLERS = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "diskcache", "yaml"}
UNPACKERS = {"xml", "lxml", "zipfile", "tarfile", "shutil.unpack_archive", "docx", "openpyxl", "bs4"}
SHELLS = re.compile(r"shell=True|os\.system|os\.popen|create_subprocess_shell|getoutput|pty\.spawn")

FLOORS = {
    "starlette": "1.3.1",
    "python-multipart": "0.0.32",
    "yt-dlp": "2026.7.4",
    "redis": "4.5.4",
    "celery": "5.5",
}
BANNED = {"diskcache", "flower", "bcrypt", "passlib"}


# Modules that may: name -> why what they read is ours, or what bounds it.
NAMED: dict[str, str] = {}


@cache
def modules() -> dict[str, str]:
    """Each module of the application and its text."""
    return {str(path.relative_to(APP)): path.read_text("utf-8") for path in sorted(APP.rglob("*.py"))}


@cache
def imports() -> dict[str, set[str]]:
    return {name: imported(text) for name, text in modules().items() if name not in NAMED}


def imported(text: str) -> set[str]:
    """Names of modules, whole and by their first part, that a source imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {*names, *(name.split(".")[0] for name in names)}
    return found


def test_row_9_nothing_goes_through_a_shell() -> None:
    """Nor through whisper.cpp's example server, which builds a command line for one."""
    assert [name for name, text in modules().items() if SHELLS.search(text) or "whisper-server" in text] == []


def test_row_12_no_module_reads_markup_or_archives_of_others() -> None:
    """So there is no entity to expand, no archive to unpack and no expression to run away with."""
    assert {name: found for name, used in imports().items() if (found := used & UNPACKERS)} == {}


def test_row_12_what_is_named_above_is_there() -> None:
    assert set(NAMED) <= set(modules())
    assert all(NAMED.values())


def test_row_49_nothing_is_unpickled() -> None:
    assert {name: found for name, used in imports().items() if (found := used & UNPICKLERS)} == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pickle", "pickle"),
        ("from xml.etree import ElementTree", "xml"),
        ("import os.path", "os.path"),
        ("from shutil import unpack_archive", "shutil.unpack_archive"),
    ],
)
def test_row_49_the_scan_sees_what_it_looks_for(code: str, found: str) -> None:
    assert found in imported(code)


@pytest.mark.parametrize("policy", [policy_for(""), policy_for("https://bucket.example.org")])
def test_row_43_words_of_a_transcript_load_no_picture_from_elsewhere(policy: str) -> None:
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    assert rules["img-src"] == ["'self'", "data:", "blob:"]
    assert rules["default-src"] == ["'self'"]
    assert "script-src" not in rules or "'unsafe-inline'" not in rules["script-src"]


def test_row_43_no_page_makes_markup_of_text() -> None:
    """React escapes; these are its ways around that."""
    ways = re.compile(r"dangerouslySetInnerHTML|\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write\(")
    sources = [path for ending in ("ts", "tsx") for path in (PAGES / "src").rglob(f"*.{ending}")]
    assert len(sources) > 50
    assert [path.name for path in sources if ways.search(path.read_text("utf-8"))] == []


def test_row_51_pages_are_built_without_their_sources_and_served_without_vite() -> None:
    assert "sourcemap" not in (PAGES / "vite.config.ts").read_text("utf-8")
    built = PAGES / "dist"
    assert [path.name for path in built.rglob("*.map")] == []
    dockerfile = (PROJECT_ROOT / "backend" / "Dockerfile").read_text("utf-8")
    assert not re.search(r"npm run dev|vite( preview)?$", dockerfile, re.MULTILINE)


def test_row_52_locked_packages_are_above_the_floors() -> None:
    """Versions below have known holes (docs/security.md); a floor binds only where the package is locked."""
    locks = sorted((PROJECT_ROOT / "backend").glob("requirements*.lock"))
    assert locks
    for lock in locks:
        pins = re.findall(
            r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([0-9.]+)", lock.read_text("utf-8"), re.MULTILINE
        )
        assert [
            (name, pin) for name, pin in pins if name in FLOORS and parts(pin) < parts(FLOORS[name])
        ] == []
        assert {name for name, _ in pins} & BANNED == set()


def test_row_52_the_pages_tools_are_above_theirs() -> None:
    lock = (PAGES / "package-lock.json").read_text("utf-8")
    vite = re.search(r'"node_modules/vite": \{\s*"version": "([0-9.]+)"', lock)
    assert vite is not None
    assert parts(vite[1]) >= parts("7.3.2")


def test_row_58_a_message_rings_and_says_no_more(tmp_path: Path) -> None:
    """Whoever may write to Redis can wake a worker; which job it takes the database says, not the message."""
    (run,) = (
        node
        for node in ast.parse(modules()["tasks/jobs.py"]).body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    )
    arguments = {argument.arg for argument in run.args.args}
    used = {node.id for statement in run.body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    assert arguments & used == {"task"}
    conf = build_celery(build_settings(tmp_path, redis_url="redis://127.0.0.1:1/0")).conf
    assert (list(conf.accept_content), conf.task_serializer) == (["json"], "json")
    assert (conf.result_backend, conf.worker_enable_remote_control) == (None, False)


def parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
