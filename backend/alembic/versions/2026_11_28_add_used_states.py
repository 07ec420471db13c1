"""add used states

Revision: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import base as db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_states",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", db.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_used_states")),
    )
    with op.batch_alter_table("used_states") as batch_op:
        batch_op.create_index(batch_op.f("ix_used_states_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("used_states") as batch_op:
        batch_op.drop_index(batch_op.f("ix_used_states_expires_at"))
    op.drop_table("used_states")
