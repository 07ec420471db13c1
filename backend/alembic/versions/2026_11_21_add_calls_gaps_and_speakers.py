"""add calls to providers, gaps and speakers

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import base as db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "external_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("audio_ms", sa.BigInteger(), nullable=False),
        sa.Column("cost_micros", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", db.UTCDateTime(), nullable=False),
        sa.Column("submitted_at", db.UTCDateTime(), nullable=True),
        sa.Column("finished_at", db.UTCDateTime(), nullable=True),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_external_calls_job_id_jobs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_external_calls_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_calls")),
    )
    with op.batch_alter_table("external_calls") as batch_op:
        batch_op.create_index("ix_external_calls_created", ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_external_calls_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_external_calls_workspace_id"), ["workspace_id"], unique=False)

    op.create_table(
        "speakers",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_speakers_job_id_jobs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_speakers_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "label", name=op.f("pk_speakers")),
    )
    with op.batch_alter_table("speakers") as batch_op:
        batch_op.create_index(batch_op.f("ix_speakers_workspace_id"), ["workspace_id"], unique=False)

    with op.batch_alter_table("job_windows") as batch_op:
        batch_op.add_column(sa.Column("channel", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reruns", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("covered_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("gaps", db.JSONType, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("error_code", sa.Text(), nullable=True))

    with op.batch_alter_table("jobs") as batch_op:
        batch_op.add_column(sa.Column("translate", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("vocabulary", db.JSONType, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("prompt", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("speakers", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("max_speakers", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("fresh", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("covered_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("gaps", db.JSONType, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("cached_from", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("speaker_state", sa.Text(), server_default="none", nullable=False))
        batch_op.add_column(sa.Column("speaker_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("speaker_turns", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("media_files") as batch_op:
        batch_op.add_column(sa.Column("channels", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("channel_layout", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("peaks_key", sa.Text(), nullable=True))

    with op.batch_alter_table("transcripts") as batch_op:
        batch_op.add_column(sa.Column("speech_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("covered_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("gaps", db.JSONType, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("fingerprint", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("media_sha256", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_transcripts_cache", ["workspace_id", "media_sha256", "fingerprint"], unique=False
        )

    with op.batch_alter_table("workspaces") as batch_op:
        batch_op.add_column(
            sa.Column("allow_cloud", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(sa.Column("vocabulary", db.JSONType, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("prompt", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("workspaces") as batch_op:
        batch_op.drop_column("prompt")
        batch_op.drop_column("vocabulary")
        batch_op.drop_column("allow_cloud")

    with op.batch_alter_table("transcripts") as batch_op:
        batch_op.drop_index("ix_transcripts_cache")
        batch_op.drop_column("media_sha256")
        batch_op.drop_column("fingerprint")
        batch_op.drop_column("gaps")
        batch_op.drop_column("covered_ms")
        batch_op.drop_column("speech_ms")

    with op.batch_alter_table("media_files") as batch_op:
        batch_op.drop_column("peaks_key")
        batch_op.drop_column("channel_layout")
        batch_op.drop_column("channels")

    with op.batch_alter_table("jobs") as batch_op:
        batch_op.drop_column("speaker_turns")
        batch_op.drop_column("speaker_reason")
        batch_op.drop_column("speaker_state")
        batch_op.drop_column("cached_from")
        batch_op.drop_column("gaps")
        batch_op.drop_column("covered_ms")
        batch_op.drop_column("fresh")
        batch_op.drop_column("max_speakers")
        batch_op.drop_column("speakers")
        batch_op.drop_column("prompt")
        batch_op.drop_column("vocabulary")
        batch_op.drop_column("translate")

    with op.batch_alter_table("job_windows") as batch_op:
        batch_op.drop_column("error_code")
        batch_op.drop_column("gaps")
        batch_op.drop_column("covered_ms")
        batch_op.drop_column("reruns")
        batch_op.drop_column("channel")

    with op.batch_alter_table("speakers") as batch_op:
        batch_op.drop_index(batch_op.f("ix_speakers_workspace_id"))

    op.drop_table("speakers")
    with op.batch_alter_table("external_calls") as batch_op:
        batch_op.drop_index(batch_op.f("ix_external_calls_workspace_id"))
        batch_op.drop_index(batch_op.f("ix_external_calls_job_id"))
        batch_op.drop_index("ix_external_calls_created")

    op.drop_table("external_calls")
