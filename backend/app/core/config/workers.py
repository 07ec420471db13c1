"""Who works on jobs, and how processes hear of each other."""

from __future__ import annotations

from pydantic import Field

from app.core.config.base import Group


class WorkerSettings(Group):
    """Who works on jobs, and how processes hear of each other."""

    executor: str = Field(
        "inprocess",
        pattern="^(inprocess|database|celery)$",
        description="inprocess: the server works on jobs itself. database: `transcribe worker` does, which looks into "
        "the database. celery: workers that Redis rings up. The last two need Postgres.",
    )
    node_name: str = Field(
        "",
        max_length=100,
        pattern=r"^[^|\s]*$",
        description="What this machine is called among those that share a database. Empty: its host name.",
    )
