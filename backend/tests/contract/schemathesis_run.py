"""Schemathesis as a process of its own, against a served application in which one owner has some of everything."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.api.test_jobs import finished
from tests.fixtures.app import RunningApp
from tests.fixtures.identity import login
from tests.security.tenant_seed import Seed, add_member, seed

# What ends the session that asks is asked with another one.
ENDS_THE_SESSION = (
    "auth_logout",
    "account_delete",
    "account_revoke_session",
    "account_revoke_other_sessions",
    "workspaces_leave",
)
# What takes away what the others ask for gets things of its own to take.
TAKES_AWAY = {
    "jobs_delete": ("path.job_id", "job_to_delete"),
    "administration_set_quotas": ("path.workspace_id", "workspace_of_another"),
}

# Left out: positive_data_acceptance and unsupported_method (no schema says which addresses are e-mail addresses, or
# that GET /api/files/complete is a file named "complete"), object_level_authorization (tests/security does more).
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)


REJECTED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]


@dataclass(frozen=True, slots=True)
class Seeded:
    """Whose credentials the fuzz sends, and the ids it may find."""

    owner: Seed
    spare_token: str
    ids: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How schemathesis ended, and what it said."""

    status: int
    output: str


async def seed_owner(app: RunningApp) -> Seeded:
    """The first account, so administrator too, with two jobs, a link, a key and a member; and another tenant."""
    owner, other = await seed(app, "owner"), await seed(app, "other")
    member = await add_member(app, owner.person.workspace_id, "member", "member")
    async with app.new_client() as client:
        spare = await login(client, "owner@example.org")
        client.headers.update(owner.person.bearer)
        doomed = [(await finished(client, name=f"{n}.txt"))["id"] for n in range(3)]
    ids = {name: [value] for name, value in owner.ids.items()} | {
        "user_id": [member.id],
        "job_to_delete": doomed,
        "workspace_of_another": [other.person.workspace_id],
    }
    return Seeded(owner, spare.body["access_token"], ids)


async def run_schemathesis(
    app: RunningApp, seeded: Seeded, folder: Path, *, phases: str, seconds: int, examples: int, seed: int
) -> Outcome:
    """Fuzz the served application for at most `seconds`; the whole output is kept for whoever reads a failure."""
    config = folder / "schemathesis.toml"
    config.write_text(_config(app.app.openapi(), seeded), "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config)),
        *("run", f"{app.base_url}/openapi.json", "--phases", phases),
        *("--max-time", str(seconds), "--max-examples", str(examples), "--seed", str(seed)),
        *("--checks", ",".join(CHECKS), "--no-shrink", "--no-color"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Outcome(process.returncode, output.decode("utf-8", "replace"))


def _config(document: dict[str, object], seeded: Seeded) -> str:
    """Credentials, known ids for two of three requests, the rest is schemathesis' own choice."""
    authorization = json.dumps(seeded.owner.person.bearer["Authorization"])
    known = _path_parameters(document) & set(seeded.ids)
    lines = [
        "continue-on-failure = true",
        "max-stream-events = 1",
        "request-timeout = 60",  # a busy machine is no failure
        "[checks.negative_data_rejection]",  # its own choice, and a body too large to be looked at at all
        f"expected-statuses = {json.dumps(REJECTED)}",
        "[headers]",
        f"Authorization = {authorization}",
        "[parameters]",
        *(f'"path.{name}" = {{dictionary = "{name}", probability = 0.67}}' for name in sorted(known)),
        *(
            f'"body.{name}" = {{dictionary = "{name}", probability = 0.67}}'
            for name in ("file_id", "upload_id")
        ),
        *(f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in seeded.ids.items()),
    ]
    for operation in ENDS_THE_SESSION:
        lines += [
            f'[[operations]]\ninclude-operation-id = "{operation}"',
            f'[operations.headers]\nAuthorization = "Bearer {seeded.spare_token}"',
        ]
    lines += [  # a calm workspace's stream says nothing until something happens; from its beginning it has much to say
        '[[operations]]\ninclude-operation-id = "live_list_events"',
        f'[operations.headers]\nAuthorization = {authorization}\nLast-Event-ID = "0"',
    ]
    for operation, (parameter, dictionary) in TAKES_AWAY.items():
        lines += [
            f'[[operations]]\ninclude-operation-id = "{operation}"',
            f'[operations.parameters]\n"{parameter}" = {{dictionary = "{dictionary}", probability = 0.67}}',
        ]
    return "\n".join(lines) + "\n"


def _path_parameters(document: dict[str, object]) -> set[str]:
    paths = document["paths"]
    assert isinstance(paths, dict)
    return {
        parameter["name"]
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
    }
