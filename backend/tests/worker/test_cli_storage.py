"""`transcribe storage check` against a real S3 server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage.s3 import BucketSettings
from tests.fixtures.cli import run
from tests.fixtures.ministack import BucketServer


def environment(tmp_path: Path, bucket: BucketSettings, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATA_DIR": str(tmp_path / "data"),
        "STORAGE_BACKEND": "s3",
        "PUBLIC_URL": "https://transcribe.example.org",
        "S3_ENDPOINT_URL": bucket.endpoint_url,
        "S3_BUCKET": bucket.bucket,
        "S3_ACCESS_KEY_ID": bucket.access_key_id,
        "S3_SECRET_ACCESS_KEY": bucket.secret_access_key,
        **more,
    }


def test_the_check_prints_the_missing_rule_sets_it_and_is_content(
    bucket_server: BucketServer, tmp_path: Path
) -> None:
    settings = environment(tmp_path, bucket_server.settings())
    first = run(settings, "storage", "check")
    assert first.returncode == 4, first.stdout + first.stderr
    assert "NO: Pages of https://transcribe.example.org may not" in first.stdout
    assert '"ExposeHeaders"' in first.stdout
    assert first.stdout.count("NO:") == 1, first.stdout
    last = run(settings, "storage", "check", "--fix")
    assert last.returncode == 0, last.stdout
    assert "for exactly the length that was signed" in last.stdout
    assert "very bytes that were checked" in last.stdout
    assert "may send to the bucket" in run(settings, "storage", "check").stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"S3_BUCKET": "no-such-bucket"}, "There is no bucket no-such-bucket"),
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not answer"),
        ({"S3_ACCESS_KEY_ID": "nobody"}, "refuses this key"),
        ({"S3_SECRET_ACCESS_KEY": "x" * 40}, "A signed address is refused (status 403)"),
    ],
)
def test_the_check_names_what_is_wrong(
    bucket_server: BucketServer, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    answer = run(environment(tmp_path, bucket_server.settings()) | change, "storage", "check")
    assert answer.returncode == 4, answer.stderr
    assert said in answer.stdout


def test_mistakes_of_the_settings_are_told(bucket_server: BucketServer, tmp_path: Path) -> None:
    settings = environment(tmp_path, bucket_server.settings())
    unnamed = run(settings | {"S3_BUCKET": ""}, "storage", "check")
    assert (unnamed.returncode, "S3_BUCKET" in unnamed.stderr) == (2, True)
    still_read = run(
        settings | {"STORAGE_BACKEND": "local"}, "storage", "move", "--to", "s3", "--delete-source"
    )
    assert (still_read.returncode, "STORAGE_BACKEND=s3" in still_read.stderr) == (2, True)
