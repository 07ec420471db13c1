"""add shown invitations

Revision: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whether an open invitation was shown is not known any more: all of them count as shown."""
    with op.batch_alter_table("invitations") as batch_op:
        batch_op.add_column(sa.Column("token_shown", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("invitations") as batch_op:
        batch_op.drop_column("token_shown")
