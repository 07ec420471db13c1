"""The parts that take more than a line to build from the settings; put together in `app.factory`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.asr.models import is_known, is_path
from app.core import failpoints
from app.core.concurrency import ConcurrencyLimit
from app.core.config import Environment, Settings
from app.core.errors import ConfigurationError
from app.core.passwords import Passwords
from app.core.rates import RateCounter, SharedCounts, read_rule
from app.core.secrets import load_secret
from app.core.security import AccessTokens, derive_key
from app.db.session import Database
from app.fetch import Fetcher, SiteRules
from app.services.identity.accounts import Accounts
from app.services.identity.oidc import ProviderSignIn
from app.services.identity.oidc.service import check_oidc
from app.services.identity.recovery import Recovery
from app.services.identity.sessions import Sessions
from app.services.identity.throttle import Throttle
from app.services.jobs.bus import EventBus
from app.services.jobs.fetching import LinkDesk
from app.services.jobs.relay import LocalRelay, Relay, WireRelay
from app.services.jobs.wires import postgres_wire, redis_wire
from app.services.media.intake import Intake
from app.storage.base import ObjectStore
from app.storage.local import LocalStore
from app.storage.signing import UrlSigner

if TYPE_CHECKING:
    from app.storage.s3 import S3Store


def check_settings(settings: Settings) -> None:
    """What can be known to be wrong before anything is opened. Raises `ConfigurationError` with a sentence."""
    load_secret(settings)
    failpoints.arm(settings.server.failpoints, allowed=settings.server.env == Environment.TEST)
    check_model(settings.speech.whisper_model)
    check_executor(settings)
    check_oidc(settings)
    if settings.storage.storage_backend == "s3" and not settings.storage.s3_bucket:
        raise ConfigurationError("STORAGE_BACKEND=s3 needs S3_BUCKET, the name of the bucket.")


def check_executor(settings: Settings) -> None:
    """Raises `ConfigurationError`."""
    executor = settings.workers.executor
    if executor != "inprocess" and settings.database_url.startswith("sqlite"):
        raise ConfigurationError(f"EXECUTOR={executor} needs Postgres: set DATABASE_URL to postgresql://...")
    if executor == "celery" and not settings.server.redis_url.get_secret_value():
        raise ConfigurationError("EXECUTOR=celery needs Redis: set REDIS_URL to redis://...")


def build_sessions(settings: Settings, database: Database, secret: bytes) -> Sessions:
    tokens = AccessTokens(
        secret,
        algorithm=settings.identity.jwt_algorithm,
        lifetime_seconds=settings.identity.access_token_expire_minutes * 60,
    )
    lifetime = timedelta(days=settings.identity.refresh_token_expire_days)
    return Sessions(database, tokens, secret=secret, refresh_lifetime=lifetime)


def build_accounts(
    settings: Settings,
    database: Database,
    sessions: Sessions,
    secret: bytes,
    wake_mail: Callable[[], None],
    wake_removal: Callable[[], None],
) -> Accounts:
    passwords = Passwords()
    throttle = Throttle(database, failures=settings.identity.lockout_failures)
    recovery = Recovery(
        database,
        passwords,
        throttle,
        page_url=settings.page_url,
        min_length=settings.identity.password_min_length,
        wake=wake_mail,
    )
    return Accounts(
        settings,
        database,
        passwords,
        sessions,
        secret=secret,
        throttle=throttle,
        recovery=recovery,
        wake_removal=wake_removal,
    )


def build_rates(settings: Settings) -> RateCounter | None:
    """None where nothing is counted. The names are those of `app.api.edges`."""
    if not settings.limits_rates:
        return None
    edges = settings.edges
    rules = {
        "requests": edges.rate_limit_requests,
        "auth": edges.rate_limit_auth,
        "unlock": edges.rate_limit_unlock,
        "submissions": edges.rate_limit_submissions,
        "submissions_user": edges.rate_limit_submissions_user,
        "submissions_key": edges.rate_limit_submissions_key,
        "uploads": edges.rate_limit_uploads,
        "uploads_user": edges.rate_limit_uploads,
        "uploads_key": edges.rate_limit_uploads,
        "socket_messages": edges.rate_limit_socket_messages,
    }
    return RateCounter(
        {name: read_rule(text) for name, text in rules.items()},
        shared=_build_shared_counts(settings.server.redis_url.get_secret_value()),
        local=("requests", "socket_messages"),
    )


def build_socket_limit(settings: Settings) -> ConcurrencyLimit:
    limit = settings.edges.rate_limit_sockets if settings.limits_rates else 0
    return ConcurrencyLimit(limit, what="live connections")


def _build_shared_counts(redis_url: str) -> SharedCounts | None:
    if not redis_url:
        return None
    from app.core.redis_rates import RedisCounts  # the client costs a third of a second at every start

    return RedisCounts(redis_url)


def build_provider_sign_in(
    settings: Settings,
    database: Database,
    sessions: Sessions,
    accounts: Accounts,
    secret: bytes,
    wake_mail: Callable[[], None],
) -> ProviderSignIn:
    return ProviderSignIn(
        settings,
        database,
        accounts.passwords,
        sessions,
        accounts.throttle,
        accounts.factor,
        secret=secret,
        wake_mail=wake_mail,
    )


def build_fetcher(settings: Settings) -> Fetcher:
    """What goes to the web, as the settings have it."""
    links = settings.links
    return Fetcher(
        rules=SiteRules(links.url_allowlist, links.url_blocklist),
        max_seconds=links.url_max_seconds,
        min_bytes_per_second=links.url_min_bytes_per_second,
        cookie_file=links.url_cookie_file,
        proxy=links.url_proxy,
        library=settings.server.data_dir / "yt-dlp",
    )


def build_relay(settings: Settings, database: Database) -> Relay:
    """How events reach other processes: Redis where there is one, else Postgres, else there are none."""
    redis_url = settings.server.redis_url.get_secret_value()
    if redis_url:
        return WireRelay(partial(redis_wire, redis_url))
    if not database.is_sqlite:
        return WireRelay(partial(postgres_wire, database.driver_options()))
    return LocalRelay()


def build_links(settings: Settings, database: Database, bus: EventBus, intake: Intake) -> LinkDesk:
    """Fetching for jobs."""
    return LinkDesk(
        database,
        bus,
        intake,
        build_fetcher(settings),
        enabled=settings.links_allowed,
        max_audio_seconds=settings.storage.max_audio_seconds,
        playlist_limit=settings.links.url_playlist_limit,
        parallel=settings.links.url_parallel,
    )


def check_model(model: str) -> None:
    """A name or path that can never work is a mistake of the settings, not a reason to fall back."""
    if is_path(model):
        if not Path(model).expanduser().is_file():
            raise ConfigurationError(f"WHISPER_MODEL: there is no file {model}.")
    elif not is_known(model):
        raise ConfigurationError(
            f"WHISPER_MODEL: there is no model named {model}. `transcribe models list` shows them all; "
            "a ggml file of your own is named by its path."
        )


def build_store(settings: Settings, secret: bytes) -> ObjectStore:
    if settings.storage.storage_backend == "local":
        return build_local_store(settings, secret)
    return build_s3_store(settings)


def build_local_store(settings: Settings, secret: bytes) -> LocalStore:
    """The folder of the settings, whatever STORAGE_BACKEND says."""
    signer = UrlSigner(derive_key(secret, "store-url"), ttl_seconds=settings.storage.url_ttl_seconds)
    return LocalStore(settings.storage_dir, signer)


def build_s3_store(settings: Settings) -> S3Store:
    """The bucket of the settings, whatever STORAGE_BACKEND says. Raises `ConfigurationError`."""
    from app.storage.s3 import (  # boto3 costs a fifth of a second at every start
        Bucket,
        BucketSettings,
        S3Store,
    )

    storage = settings.storage
    if not storage.s3_bucket:
        raise ConfigurationError("S3_BUCKET is not set: it names the bucket.")
    bucket = BucketSettings(
        bucket=storage.s3_bucket,
        endpoint_url=storage.s3_endpoint_url,
        public_endpoint_url=storage.s3_public_endpoint_url,
        region=storage.s3_region,
        access_key_id=storage.s3_access_key_id,
        secret_access_key=storage.s3_secret_access_key.get_secret_value(),
        addressing_style=storage.s3_addressing_style,
        prefix=storage.s3_prefix,
    )
    scratch = settings.server.data_dir / "scratch"
    return S3Store(Bucket(bucket), scratch, ttl_seconds=storage.url_ttl_seconds)
