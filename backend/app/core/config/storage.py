"""Where recordings live and how large they may be."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from app.core.config.base import Group, absolute, http_address


class StorageSettings(Group):
    """Where recordings live and how large they may be."""

    storage_backend: str = Field(
        "local", pattern="^(local|s3)$", description="local: files in LOCAL_STORAGE_DIR. s3: a bucket (S3_*)."
    )
    local_storage_dir: Path | None = Field(
        None, description="Folder of the local store. Empty: DATA_DIR/storage."
    )
    max_file_bytes: int = Field(5 * 1024**3, ge=1, description="Largest upload, in bytes (5 GiB).")
    max_audio_seconds: int = Field(
        43200, ge=1, description="Longest recording, measured on decoded samples (12 hours)."
    )
    url_ttl_seconds: int = Field(900, ge=5, le=86400, description="Life of signed upload and download URLs.")
    upload_ttl_hours: int = Field(
        24, ge=1, le=720, description="An upload that is not completed is dropped after this time."
    )

    _local_storage_dir = field_validator("local_storage_dir", mode="after")(absolute)
    s3_endpoint_url: str = Field(
        "",
        description="Address of an S3-compatible store, as https://storage.yandexcloud.net. Empty: Amazon's own.",
    )
    s3_public_endpoint_url: str = Field(
        "", description="The same store as browsers reach it, where that differs. Empty: S3_ENDPOINT_URL."
    )
    s3_bucket: str = Field("", description="The bucket, for STORAGE_BACKEND=s3.")
    s3_region: str = Field(
        "", description="Region that is signed. Empty: ru-central1 for Yandex Object Storage, else us-east-1."
    )
    s3_access_key_id: str = Field("", description="Empty: what boto3 finds (environment, files, instance).")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Goes with S3_ACCESS_KEY_ID.")
    s3_addressing_style: str = Field(
        "path", pattern="^(path|virtual)$", description="path or virtual: where the bucket's name stands."
    )
    s3_prefix: str = Field(
        "",
        pattern="^([A-Za-z0-9._-]+/)*$",
        description="Put before all keys, ending in a slash, where several share a bucket.",
    )

    _endpoints = field_validator("s3_endpoint_url", "s3_public_endpoint_url")(http_address)
