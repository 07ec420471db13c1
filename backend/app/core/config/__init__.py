"""Settings from environment variables (and `.env` beside the Makefile), in groups; every variable is described.

A field's name in lower case is its variable's name. docs/deployment/config.md and .env.example are held equal to
these files by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.config.base import PROJECT_ROOT, Group
from app.core.config.cloud import CloudSettings
from app.core.config.edges import EdgeSettings
from app.core.config.identity import IdentitySettings, MailSettings
from app.core.config.links import LinkSettings
from app.core.config.oidc import OidcSettings
from app.core.config.server import DatabaseSettings, Environment, ServerSettings
from app.core.config.speech import AUTOMATIC_ENGINES, SpeechSettings
from app.core.config.storage import StorageSettings
from app.core.config.webhooks import WebhookSettings
from app.core.config.workers import WorkerSettings

__all__ = [
    "AUTOMATIC_ENGINES",
    "GROUPS",
    "PROJECT_ROOT",
    "CloudSettings",
    "DatabaseSettings",
    "EdgeSettings",
    "Environment",
    "IdentitySettings",
    "LinkSettings",
    "MailSettings",
    "OidcSettings",
    "ServerSettings",
    "Settings",
    "SpeechSettings",
    "StorageSettings",
    "WebhookSettings",
    "WorkerSettings",
]

GROUPS: dict[str, type[Group]] = {
    "server": ServerSettings,
    "edges": EdgeSettings,
    "database": DatabaseSettings,
    "workers": WorkerSettings,
    "identity": IdentitySettings,
    "oidc": OidcSettings,
    "mail": MailSettings,
    "storage": StorageSettings,
    "links": LinkSettings,
    "webhooks": WebhookSettings,
    "speech": SpeechSettings,
    "cloud": CloudSettings,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups; built once in the factory and passed down."""

    server: ServerSettings
    edges: EdgeSettings
    database: DatabaseSettings
    workers: WorkerSettings
    identity: IdentitySettings
    oidc: OidcSettings
    mail: MailSettings
    storage: StorageSettings
    links: LinkSettings
    webhooks: WebhookSettings
    speech: SpeechSettings
    cloud: CloudSettings

    @classmethod
    def load(cls, env_file: Path | None = PROJECT_ROOT / ".env") -> Settings:
        """Environment first, then the file, then the defaults. Raises pydantic's ValidationError."""
        file = env_file if env_file is not None and env_file.is_file() else None
        return cls(**{name: group(_env_file=file) for name, group in GROUPS.items()})  # type: ignore[arg-type]  # by name

    @property
    def database_url(self) -> str:
        """SQLAlchemy's async URL; plain postgres:// forms are understood."""
        url = self.database.database_url
        if not url:
            return f"sqlite+aiosqlite:///{self.server.data_dir / 'transcribe.db'}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+asyncpg://" + url.removeprefix(plain)
        return url.replace("sqlite://", "sqlite+aiosqlite://", 1) if url.startswith("sqlite://") else url

    @property
    def storage_dir(self) -> Path:
        return self.storage.local_storage_dir or self.server.data_dir / "storage"

    @property
    def models_dir(self) -> Path:
        return self.speech.models_dir or self.server.data_dir / "models"

    @property
    def page_url(self) -> str:
        """Where people find the pages, for links in mails: PUBLIC_URL, never what a request claims to have asked."""
        server = self.server
        host = "127.0.0.1" if server.host in ("0.0.0.0", "::", "") else server.host  # noqa: S104
        return server.public_url or f"http://{f'[{host}]' if ':' in host else host}:{server.port}"

    @property
    def sends_mail(self) -> bool:
        """False: mails are files, and whoever makes a link hands it over."""
        return bool(self.mail.smtp_host)

    @property
    def limits_rates(self) -> bool:
        """Whether requests are counted."""
        return _is_on(self.edges.rate_limit_enabled, auto=self.server.env != Environment.LOCAL)

    @property
    def links_allowed(self) -> bool:
        """Whether jobs may name a link."""
        return _is_on(self.links.url_ingestion, auto=self.server.env == Environment.LOCAL)


def _is_on(value: str, *, auto: bool) -> bool:
    return auto if value == "auto" else value == "on"
