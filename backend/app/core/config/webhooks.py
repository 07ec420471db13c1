"""Events that other systems are told."""

from __future__ import annotations

from pydantic import Field

from app.core.config.base import Group


class WebhookSettings(Group):
    """Events that other systems are told."""

    webhook_private_targets: bool = Field(
        False,
        description="true: webhooks may go to this machine and its network, and over plain http. "
        "Only where every owner of a workspace may reach what this server reaches.",
    )
    webhook_timeout_seconds: float = Field(
        15,
        gt=0,
        le=30,
        description="How long a receiver may take to answer before the delivery is tried again.",
    )
    webhook_log_days: int = Field(
        30,
        ge=4,
        le=365,
        description="How long the log of deliveries is kept; it must outlast three days of retries.",
    )
