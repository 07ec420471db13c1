"""Postgres row-level security: the second wall between tenants, beneath the filter of `app.db.session` (ADR 0018).

Two settings of a transaction say who is at work: `app.workspace_id` in a tenant's, `app.system` = 'on' in the system's.
With neither, no row is seen and none can be written. Policies are kept even from the tables' owner (FORCE). A superuser
or a role with BYPASSRLS would still pass them, so there tenant transactions step down to the role `transcribe_tenant`,
for which `app.system` means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

TENANT_ROLE = "transcribe_tenant"
POLICY = "tenant"

_TENANT = "nullif(current_setting('app.workspace_id', true), '')::uuid"
_SYSTEM = f"(current_setting('app.system', true) = 'on' AND current_user <> '{TENANT_ROLE}')"

_CREATE_ROLE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{TENANT_ROLE}') THEN
        CREATE ROLE {TENANT_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    EXECUTE format('GRANT {TENANT_ROLE} TO %I', current_user);
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation OR invalid_grant_operation THEN
        NULL;  -- a managed Postgres: FORCE holds the plain owner without this role
END
$$
"""
_IF_ROLE = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN {what}; END IF; END $$"

_LOOK = """
SELECT r.rolsuper OR r.rolbypassrls,
       coalesce(
           NOT t.rolsuper AND NOT t.rolbypassrls
           AND has_table_privilege(t.oid, c.oid, 'SELECT')
           AND pg_has_role(t.oid, CASE WHEN current_setting('server_version_num')::int < 160000
                                       THEN 'MEMBER' ELSE 'SET' END),
           false
       )
FROM pg_class c
JOIN pg_roles r ON r.rolname = current_user
LEFT JOIN pg_roles t ON t.rolname = $1
WHERE c.oid = to_regclass('workspaces')
"""


@dataclass(frozen=True, slots=True)
class Wall:
    """How the login role stands to the policies. `bypasses`: it is not held by them; `steps_down`: tenant transactions
    take the tenants' role, by which they are."""

    bypasses: bool
    steps_down: bool

    @property
    def stands(self) -> bool:
        return self.steps_down or not self.bypasses


def create_tenant_role(bind: sa.Connection) -> None:
    """For migrations. Makes the role where the migrating one may; on a managed Postgres it may not, and need not."""
    bind.exec_driver_sql(_CREATE_ROLE)
    _for_role(bind, f"GRANT USAGE ON SCHEMA public TO {TENANT_ROLE}")
    _for_role(
        bind,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {TENANT_ROLE}",
    )
    _for_role(bind, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {TENANT_ROLE}")


def drop_tenant_grants(bind: sa.Connection) -> None:
    """For migrations. The role itself stays: it may serve other databases of the cluster."""
    _for_role(bind, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {TENANT_ROLE}")
    _for_role(bind, f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {TENANT_ROLE}")
    _for_role(bind, f"REVOKE USAGE ON SCHEMA public FROM {TENANT_ROLE}")


def protect(bind: sa.Connection, table: str, *, column: str = "workspace_id", shared: bool = False) -> None:
    """For migrations: every table of a tenant needs this once. `shared` lets a tenant add rows of no workspace."""
    own = f"{column} = {_TENANT}"
    check = f"{own} OR {column} IS NULL" if shared else own
    bind.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    bind.exec_driver_sql(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    bind.exec_driver_sql(
        f'CREATE POLICY {POLICY} ON "{table}" USING ({own} OR {_SYSTEM}) WITH CHECK ({check} OR {_SYSTEM})'
    )


def unprotect(bind: sa.Connection, table: str) -> None:
    """For migrations: what `protect` did, taken back."""
    bind.exec_driver_sql(f'DROP POLICY {POLICY} ON "{table}"')
    bind.exec_driver_sql(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
    bind.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')


def as_system_for_good(connection: sa.Connection) -> None:
    """This connection is the system's until it is closed: migrations that change rows have to see them."""
    connection.exec_driver_sql("SELECT set_config('app.system', 'on', false)")


def look_at(connection: sa.Connection) -> Wall | None:
    """How the login role stands to the policies; None where there are no tables yet."""
    row = connection.exec_driver_sql(_LOOK, (TENANT_ROLE,)).one_or_none()
    return None if row is None else Wall(bypasses=bool(row[0]), steps_down=bool(row[1]))


def begin_tenant(
    connection: sa.Connection, wall: Wall, workspace_id: UUID | None, *, statement_seconds: float = 0
) -> None:
    """One statement at the beginning of a tenant's transaction, and gone with it. No workspace sees no row."""
    also = f", set_config('role', '{TENANT_ROLE}', true)" if wall.steps_down else ""
    if statement_seconds:
        also += f", set_config('statement_timeout', '{statement_seconds * 1000:.0f}', true)"
    connection.exec_driver_sql(
        f"SELECT set_config('app.workspace_id', $1, true){also}", (str(workspace_id or ""),)
    )


def begin_system(connection: sa.Connection, wall: Wall) -> None:
    """Likewise for the system's; a login role that no policy holds saves itself the round trip."""
    if not wall.bypasses:
        connection.exec_driver_sql("SELECT set_config('app.system', 'on', true)")


def unprotected(connection: sa.Connection, tables: list[str]) -> list[str]:
    """Those of `tables` that have no policy, or one that their owner would pass."""
    held = connection.exec_driver_sql(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity "
        "AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)"
    )
    return sorted(set(tables) - set(held.scalars()))


def _for_role(bind: sa.Connection, what: str) -> None:
    bind.exec_driver_sql(_IF_ROLE.format(role=TENANT_ROLE, what=what))
