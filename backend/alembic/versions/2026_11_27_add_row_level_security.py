"""add row level security

Revision: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

from app.db import row_security

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "api_keys",
    "external_calls",
    "invitations",
    "job_events",
    "job_grants",
    "job_windows",
    "jobs",
    "media_files",
    "memberships",
    "segments",
    "share_links",
    "speakers",
    "transcripts",
    "uploads",
    "usage_records",
)


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    row_security.create_tenant_role(bind)
    for table in TABLES:
        row_security.protect(bind, table)
    row_security.protect(bind, "workspaces", column="id")
    row_security.protect(bind, "audit_entries", shared=True)


def downgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    for table in (*TABLES, "workspaces", "audit_entries"):
        row_security.unprotect(bind, table)
    row_security.drop_tenant_grants(bind)
