"""One bucket, its boto3 clients, and calls to it in threads of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import boto3
from botocore.config import Config

from app.storage.s3.errors import bucket_errors

THREADS = 16
YANDEX = "storage.yandexcloud.net"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """Where the bucket is and who may use it. Empty credentials are left to boto3; `prefix` ends in a slash."""

    bucket: str
    endpoint_url: str = ""
    public_endpoint_url: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    addressing_style: str = "path"
    prefix: str = ""

    @property
    def signed_region(self) -> str:
        """Yandex Object Storage takes signatures for ru-central1 only."""
        return self.region or ("ru-central1" if YANDEX in self.endpoint_url else "us-east-1")


class Bucket:
    """boto3 is synchronous: its calls run in at most THREADS threads, so that a slow bucket holds up nothing else.

    `public` signs addresses for browsers, which may know the store under another host. Building the clients takes
    no connection.
    """

    def __init__(self, settings: BucketSettings) -> None:
        self.name = settings.bucket
        self.settings = settings
        self.client = _client(settings, settings.endpoint_url)
        public = settings.public_endpoint_url
        self.public = _client(settings, public) if public else self.client
        self._threads = anyio.CapacityLimiter(THREADS)

    def key(self, key: str) -> str:
        """The object's name in the bucket."""
        return f"{self.settings.prefix}{key}"

    def bare(self, name: str) -> str:
        """The other way round."""
        return name.removeprefix(self.settings.prefix)

    async def run(self, call: Callable[[], Result]) -> Result:
        """In a thread, with the bucket's errors translated."""

        def guarded() -> Result:
            with bucket_errors():
                return call()

        return await anyio.to_thread.run_sync(guarded, limiter=self._threads)

    async def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One operation on this bucket by its name in boto3."""
        method = getattr(self.client, operation)
        return await self.run(lambda: method(Bucket=self.name, **parameters))


def _client(settings: BucketSettings, endpoint_url: str) -> Any:
    """Checksums only where an operation needs one: several stores refuse the trailers that boto3 sends by default."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url or None,
        region_name=settings.signed_region,
        aws_access_key_id=settings.access_key_id or None,
        aws_secret_access_key=settings.secret_access_key or None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": settings.addressing_style},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=2 * THREADS,
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 5},
        ),
    )
