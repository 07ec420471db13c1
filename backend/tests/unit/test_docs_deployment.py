"""The container files match the code: settings by their names, paths that are there, one port on both sides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.api.edges.headers import PERMISSIONS_POLICY, policy_for
from app.core.config import GROUPS, PROJECT_ROOT

DOCKERFILES = [PROJECT_ROOT / place / "Dockerfile" for place in ("backend", "frontend")]
SETTINGS = {name.upper() for group in GROUPS.values() for name in group.model_fields}
NGINX = (PROJECT_ROOT / "frontend" / "nginx.conf.template").read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text("utf-8"))
    return document


def test_compose_sets_only_settings_that_exist(compose: dict[str, Any]) -> None:
    assert compose["services"]["worker"]["environment"] == compose["services"]["api"]["environment"]
    given = set(compose["services"]["api"]["environment"])
    assert given - SETTINGS == set()


def test_compose_has_its_services_and_volumes(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "redis", "api", "worker", "frontend"}
    named = {row.split(":")[0] for service in services.values() for row in service.get("volumes", [])}
    assert named == set(compose["volumes"])
    for name in ("api", "worker", "frontend"):
        assert (PROJECT_ROOT / services[name]["build"]["dockerfile"]).is_file()
    assert services["api"]["stop_grace_period"] == "30s"
    data = services["api"]["environment"]["DATA_DIR"]
    assert f"data:{data}" in services["api"]["volumes"]
    assert f"DATA_DIR={data}" in DOCKERFILES[0].read_text("utf-8")


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = (PROJECT_ROOT / "docker-compose.yml").read_text("utf-8")
    for name in ("JWT_SECRET_KEY", "POSTGRES_PASSWORD"):
        uses = re.findall(r"\$\{" + name + r"([^}]*)\}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.parent.name)
def test_copied_paths_exist_and_are_not_ignored(file: Path) -> None:
    ignored = (PROJECT_ROOT / ".dockerignore").read_text("utf-8").split()
    copies = re.findall(r"^COPY (?!--from)(.+)$", file.read_text("utf-8"), flags=re.MULTILINE)
    sources = [source for line in copies for source in line.split()[:-1]]
    assert sources
    for source in sources:
        assert list(PROJECT_ROOT.glob(source)), source
        assert source.rstrip("/") not in ignored


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.parent.name)
def test_images_run_without_root_and_tell_their_health(file: Path) -> None:
    text = file.read_text("utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert "\nUSER " in last or "nginx-unprivileged" in last
    assert "HEALTHCHECK" in last
    assert ":latest" not in text


def test_the_image_builds_whisper_cpp_and_leaves_the_compiler_behind() -> None:
    *builders, last = DOCKERFILES[0].read_text("utf-8").split("\nFROM ")
    assert any("scripts/native.py --unmeasured" in stage and " g++ " in stage for stage in builders)
    assert not re.search(r"g\+\+|gcc|cmake|build-essential|scripts", last)


def test_the_image_sets_only_settings_that_exist() -> None:
    text = DOCKERFILES[0].read_text("utf-8").split("\nFROM ")[-1]
    block = re.search(r"^ENV (.+?[^\\])$", text, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    names = set(re.findall(r"(\w+)=", block[1]))
    assert names - SETTINGS == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def test_nginx_sends_the_same_policy_as_the_server_and_streams_unbuffered() -> None:
    assert f'Content-Security-Policy "{policy_for("${CONTENT_SOURCES}")}"' in NGINX
    assert f'Permissions-Policy "{PERMISSIONS_POLICY}"' in NGINX
    for line in ("proxy_buffering off;", "proxy_request_buffering off;", "client_max_body_size 0;"):
        assert line in NGINX
    port = re.search(r"listen (\d+);", NGINX)
    assert port is not None
    assert f"EXPOSE {port[1]}" in DOCKERFILES[1].read_text("utf-8")
