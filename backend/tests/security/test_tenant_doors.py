"""Row 31: every read of a tenant's row goes through a tenant session, whose filter one function writes.

The code itself is read: a system session sees all tenants, so the modules that may hold one are named here with the
reason, and every other module may ask for tenants' rows in tenant sessions only.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa

import app
import app.models as models
from app.db.base import Base, TenantMixin

ROOT = Path(app.__file__).parent
TENANT_MODELS = {m.class_.__name__ for m in Base.registry.mappers if issubclass(m.class_, TenantMixin)}

# What may work across tenants, and why.
SYSTEM_WORK = {
    "services/jobs": "workers: they run every tenant's jobs, under a claim that names the workspace",
    "services/admin": "the administrator's figures, readiness, removal of deleted workspaces",
    "services/integrations/endpoints.py": "switches one endpoint off, by its id, for the sender too",
    "services/integrations/outcome.py": "a worker: writes what became of one delivery, by its id",
    "services/integrations/sender.py": "a worker: takes what is due of all tenants, one delivery at a time",
    "services/integrations/spreading.py": "a worker: an event goes to endpoints of its own workspace only",
    "services/integrations/deliveries.py": "sweeps old rows of the log",
    "services/media/janitor.py": "removes bytes whose rows are gone",
    "services/media/moving.py": "copies every object that the database names to another store, for the operator",
    "services/media/renditions.py": "a worker: makes playable copies of every tenant's recordings",
    "services/media/uploads.py": "asks for a workspace's row in its own tenant session",
    "services/history.py": "adds an entry about the job that its caller holds; reads nothing",
    "services/outbox.py": "adds an event of the workspace that its caller names; reads nothing",
    "services/transcripts/archive.py": "a worker: finds whose texts are to be written, then reads them as their tenant",
    "services/identity/api_keys.py": "finds whose key it is: conditions on workspace and user stand in each statement",
    "services/identity/audit_pages.py": "names the recordings of one workspace's log, which each statement names",
    "services/identity/doorkeeper.py": "asks for all open streams whether their readers' keys still hold; answers ids",
    "services/identity/idempotency.py": "writes one row by its id, beside whatever the request changes; sweeps old ones",
    "services/identity/key_uses.py": "notes when keys were used",
    "services/identity/members.py": "takes away a member's keys, of the workspace it names",
    "services/identity/quotas.py": "sums one workspace's rows, which each statement names",
    "services/identity/usage.py": "sums one workspace's rows, which each statement names",
    "services/identity/account_data.py": "account export and deletion: rows of one user",
    "services/transcripts/shares.py": "finds which tenant a share token belongs to",
    "services/transcripts/grants.py": "finds which tenants have shared something with a user",
}


def sources() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "models" not in path.relative_to(ROOT).parts[:1])


def mentions_system_session(tree: ast.AST) -> bool:
    """Whether a module is handed, or opens, a session that sees all tenants."""
    return any(
        (isinstance(node, ast.Name) and node.id in ("SystemSession", "SystemWrite", "SystemRead"))
        or (isinstance(node, ast.Attribute) and node.attr == "system")
        for node in ast.walk(tree)
    )


def names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def raw_gets(tree: ast.AST) -> set[str]:
    """Models in `session.get(Model, ...)` and `get_one`."""
    found = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("get", "get_one")
            and node.args
            and isinstance(node.args[0], ast.Name)
        ):
            found.add(node.args[0].id)
    return found & TENANT_MODELS


def allowed(path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(name == prefix or name.startswith(f"{prefix}/") for prefix in SYSTEM_WORK)


def test_row_31_only_named_modules_read_tenants_rows_in_system_sessions() -> None:
    wrong = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if mentions_system_session(tree) and names(tree) & TENANT_MODELS and not allowed(path):
            wrong.append(f"{path.relative_to(ROOT)}: {sorted(names(tree) & TENANT_MODELS)}")
    assert not wrong, "tenants' rows beside a system session; use database.tenant, or say why above: " + str(
        wrong
    )


def test_row_31_what_is_named_above_is_there() -> None:
    assert [name for name in SYSTEM_WORK if not (ROOT / name).exists()] == []


def test_row_31_routers_and_dependencies_ask_services_for_rows() -> None:
    """No `session.get` of a tenant's row at the edge: services have one door each, which filters."""
    wrong = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in sources()
        if path.relative_to(ROOT).parts[0] in ("api", "tasks")
        and (found := raw_gets(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("await session.get(Job, job_id)", {"Job"}),
        ("await session.get_one(MediaFile, file_id)", {"MediaFile"}),
        ("settings.get(Job)", {"Job"}),
        ("await session.get(User, user_id)", set()),
    ],
)
def test_row_31_the_scan_sees_what_it_looks_for(code: str, found: set[str]) -> None:
    tree = ast.parse(f"async def f():\n    {code}")
    assert raw_gets(tree) == found
    assert not mentions_system_session(tree)
    assert mentions_system_session(ast.parse("async def f(session: SystemSession): ..."))
    assert mentions_system_session(ast.parse("async with database.system() as session: ..."))


def test_row_31_every_table_with_a_workspace_is_filtered() -> None:
    """A table that names its tenant carries the mixin, or stands here with what guards it instead."""
    otherwise = {
        "memberships": "read by services/identity with the user and the workspace in each statement",
        "invitations": "found by its token, or by members of its workspace",
        "audit_entries": "read by owners and admins of its workspace; outlives it",
    }
    tenants = {m.local_table.name for m in Base.registry.mappers if issubclass(m.class_, TenantMixin)}
    with_column = {t.name for t in Base.metadata.tables.values() if "workspace_id" in t.columns}
    assert with_column - tenants == set(otherwise)
    for table in tenants:
        assert isinstance(Base.metadata.tables[table].c.workspace_id.type, sa.Uuid)
        assert not Base.metadata.tables[table].c.workspace_id.nullable
    assert models.Job.__name__ in TENANT_MODELS
