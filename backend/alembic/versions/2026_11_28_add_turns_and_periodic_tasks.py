"""add turns of workspaces, details of errors and periodic tasks

Revision: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import base as db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("served_at", db.UTCDateTime(), nullable=True))
    op.add_column("jobs", sa.Column("error_detail", sa.JSON(), nullable=True))
    op.create_table(
        "periodic_tasks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", db.UTCDateTime(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires_at", db.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_tasks")),
    )


def downgrade() -> None:
    op.drop_table("periodic_tasks")
    with op.batch_alter_table("jobs") as batch_op:
        batch_op.drop_column("error_detail")
    with op.batch_alter_table("workspaces") as batch_op:
        batch_op.drop_column("served_at")
