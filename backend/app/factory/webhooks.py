"""What tells other systems of events, from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from app import __version__
from app.core.background import Background
from app.core.config import Environment, Settings
from app.core.security import Sealer
from app.db.session import Database
from app.fetch import check_target
from app.fetch.outgoing import OutgoingDoor
from app.services.admin.maintenance import Step
from app.services.integrations.deliveries import Deliveries, purge_log
from app.services.integrations.endpoints import Secrets, WebhookEndpoints
from app.services.integrations.sender import EVERY_SECONDS, WebhookSender


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Who is told, what was sent, and the work that sends it; `sweep` is for the periodic work."""

    endpoints: WebhookEndpoints
    deliveries: Deliveries
    work: Background
    sweep: Step


def build_webhooks(
    settings: Settings, database: Database, secret: bytes, wake_mail: Callable[[], None]
) -> Webhooks:
    """With ENV=prod only https, unless the operator has opened the server's own network."""
    private = settings.webhooks.webhook_private_targets
    secrets = Secrets(Sealer(secret, "webhook-secret"))
    in_the_open = settings.server.env is Environment.PROD and not private
    sender = WebhookSender(
        database,
        OutgoingDoor(private=private, deadline=settings.webhooks.webhook_timeout_seconds),
        secrets,
        page_url=settings.page_url,
        version=__version__,
        wake_mail=wake_mail,
    )
    work = Background("send_webhooks", sender.run_once, every_seconds=EVERY_SECONDS)
    keep = timedelta(days=settings.webhooks.webhook_log_days)
    return Webhooks(
        WebhookEndpoints(secrets, partial(check_target, private=private, https_only=in_the_open)),
        Deliveries(work.wake),
        work,
        Step("purge_webhook_log", partial(purge_log, database, keep)),
    )
