"""add where a provider put a recording

Revision: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("external_calls", sa.Column("upload_url", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("external_calls") as batch_op:
        batch_op.drop_column("upload_url")
