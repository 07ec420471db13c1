"""Health, readiness, figures, options, and what every answer carries."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.api.edges.headers import security_headers
from app.asr.models.catalogue import CatalogueEntry
from app.db.away import DatabaseAwayError
from tests.fixtures.app import MakeApp, RunningApp, build_settings, sign_up


async def test_health_and_version(running_app: RunningApp) -> None:
    health = (await running_app.client.get("/health")).json()
    assert health["status"] == "ok"
    assert health["timestamp"].endswith("Z")
    assert (await running_app.client.get("/version")).json() == {"version": health["version"]}


async def test_ready_names_what_is_wrong(make_app: MakeApp, database_url: str) -> None:
    running = await make_app(database_url=database_url, transcription_backend="stub")
    answer = await running.client.get("/ready")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["checks"]) == {"database", "migrations", "storage", "engine", "disk"}
    async with running.container.database.system() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = 'old'"))
    answer = await running.client.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["checks"]["migrations"]["ok"] is False
    running.container.begin_stop()
    assert (await running.client.get("/ready")).json()["checks"]["server"]["ok"] is False


async def test_without_a_model_and_with_the_engine_named_it_is_not_ready(
    make_app: MakeApp, database_url: str
) -> None:
    running = await make_app(database_url=database_url, transcription_backend="whisper_cpp")
    answer = await running.client.get("/ready")
    assert answer.status_code == 503
    assert "base-q8_0" in answer.json()["checks"]["engine"]["detail"]


async def test_ready_tells_of_a_damaged_model_in_whole_sentences(
    make_app: MakeApp, small_catalogue: CatalogueEntry
) -> None:
    running = await make_app(model_auto_download=False)
    path = running.settings.models_dir / small_catalogue.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * small_catalogue.bytes)
    detail = (await running.client.get("/ready")).json()["checks"]["engine"]["detail"]
    assert "not the published ones" in detail
    assert ".." not in detail.replace("../", "")
    assert detail.endswith(".")


async def test_row_51_metrics_answer_this_machine_and_administrators(running_app: RunningApp) -> None:
    answer = await running_app.client.get("/metrics")
    assert answer.status_code == 200
    assert 'transcribe_jobs{status="pending"} 0.0' in answer.text
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert (await running_app.client.get("/metrics", headers=forwarded)).status_code == 401
    await sign_up(running_app.client)  # the first account is the administrator
    assert (await running_app.client.get("/metrics", headers=forwarded)).status_code == 200
    async with running_app.new_client() as member:
        await sign_up(member, "bob@example.org")
        assert (await member.get("/metrics", headers=forwarded)).status_code == 403


async def test_figures_that_need_no_database_are_there_while_it_is_away(
    running_app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise DatabaseAwayError

    monkeypatch.setattr(running_app.container.database, "system", away)
    answer = await running_app.client.get("/metrics")
    assert answer.status_code == 200
    assert "transcribe_metrics_failures_total 1.0" in answer.text
    assert "transcribe_engine_processes" in answer.text


async def test_ready_says_where_jobs_are_left_alone_and_takes_requests_all_the_same(
    make_app: MakeApp, postgres_url: str
) -> None:
    running = await make_app(database_url=postgres_url, transcription_backend="stub", executor="database")
    await sign_up(running.client)
    ready = (await running.client.get("/ready")).json()
    assert ready["checks"]["workers"] == {"ok": True, "detail": "no job is left alone"}
    assert (
        await running.client.post("/api/transcribe", files={"file": ("a.txt", b"Hello.\n")})
    ).status_code == 202
    async with running.container.database.system() as session:
        await session.execute(sa.text("UPDATE jobs SET run_after = run_after - interval '1 hour'"))
    answer = await running.client.get("/ready")
    assert answer.status_code == 200
    assert "start one" in answer.json()["checks"]["workers"]["detail"]
    figures = (await running.client.get("/metrics")).text
    (waited,) = [
        line for line in figures.splitlines() if line.startswith("transcribe_oldest_pending_seconds ")
    ]
    assert float(waited.split()[1]) >= 3600


async def test_options_tell_a_client_what_it_may_offer(running_app: RunningApp) -> None:
    options = (await running_app.client.get("/api/options")).json()
    assert options["needs_first_account"] is True
    assert options["password_min_length"] == 12
    engines = {engine["name"]: engine for engine in options["engines"]}
    assert engines.keys() >= {"whisper_cpp", "pocketsphinx", "assemblyai", "openai"}
    assert {name for name, engine in engines.items() if engine["cloud"]} == {"assemblyai", "openai"}
    assert engines["openai"]["models"][0] == "whisper-1"
    assert (engines["assemblyai"]["available"], engines["assemblyai"]["reason"]) == (
        False,
        "ASSEMBLYAI_API_KEY is not set",
    )
    assert any(model["name"] == "base-q8_0" and model["default"] for model in options["models"])
    assert {"code": "en", "name": "English"} in options["languages"]
    assert options["default_engine"]["reason"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("PATCH", "/api/jobs", 405, "method_not_allowed"),
        ("GET", "/api/jobs/not-an-id", 401, "unauthenticated"),
    ],
)
async def test_every_error_has_the_one_shape(
    running_app: RunningApp, method: str, path: str, status: int, code: str
) -> None:
    answer = await running_app.client.request(method, path, headers={"X-Request-Id": "mine-1"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["request_id"] == answer.headers["x-request-id"] == "mine-1"


async def test_malformed_ids_and_json_are_named(running_app: RunningApp) -> None:
    await sign_up(running_app.client)
    malformed = await running_app.client.get("/api/jobs/not-an-id")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (404, "not_found")
    broken = await running_app.client.post(
        "/api/jobs", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert (broken.status_code, broken.json()["error"]["code"]) == (422, "validation_error")


async def test_security_headers_are_on_every_answer(running_app: RunningApp) -> None:
    for path in ("/health", "/api/jobs", "/docs"):
        headers = (await running_app.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "microphone=()" in headers["permissions-policy"]
        assert "strict-transport-security" not in headers


@pytest.mark.parametrize(
    ("changes", "sources"),
    [
        ({}, ""),
        ({"s3_endpoint_url": "https://storage.yandexcloud.net"}, " https://storage.yandexcloud.net"),
        (
            {"s3_endpoint_url": "http://minio:9000", "s3_public_endpoint_url": "https://s3.example.org"},
            " https://s3.example.org",
        ),
        (
            {"s3_endpoint_url": "https://storage.yandexcloud.net", "s3_addressing_style": "virtual"},
            " https://b.storage.yandexcloud.net",
        ),
        (
            {"s3_region": "eu-central-1"},
            " https://s3.eu-central-1.amazonaws.com https://s3.amazonaws.com",
        ),
    ],
)
def test_pages_may_load_from_here_and_from_the_bucket_only(
    tmp_path: Path, changes: dict[str, str], sources: str
) -> None:
    store = {"storage_backend": "s3", "s3_bucket": "b"} if changes else {}
    policy = security_headers(build_settings(tmp_path, **store, **changes))["Content-Security-Policy"]
    assert f"media-src 'self' blob:{sources}; connect-src 'self'{sources};" in policy
    assert " https:;" not in policy
    assert "script-src" not in policy  # default-src 'self'


def test_https_is_remembered_and_pages_of_elsewhere_may_play(tmp_path: Path) -> None:
    headers = security_headers(
        build_settings(tmp_path, public_url="https://t.example.org", cors_origins=("https://a.example",))
    )
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Cross-Origin-Resource-Policy" not in headers


async def test_listed_origins_may_call_and_read_etags(make_app: MakeApp) -> None:
    running = await make_app(cors_origins=("https://app.example.org",))
    for origin, allowed in (("https://app.example.org", True), ("https://evil.example", False)):
        answer = await running.client.get("/health", headers={"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    assert (
        "ETag"
        in (await running.client.get("/health", headers={"Origin": "https://app.example.org"})).headers[
            "access-control-expose-headers"
        ]
    )


async def test_the_database_being_away_is_503_and_health_stays(make_app: MakeApp, tmp_path: Path) -> None:
    running = await make_app(raise_app_exceptions=False)
    await sign_up(running.client)
    await running.container.database.close()
    url = running.settings.database_url.removeprefix("sqlite+aiosqlite:///")
    Path(url).rename(tmp_path / "gone.db")
    shutil.rmtree(Path(url).parent)
    answer = await running.client.get("/api/jobs")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert (await running.client.get("/health")).status_code == 200
    Path(url).parent.mkdir()
    (tmp_path / "gone.db").rename(url)
    assert (await running.client.get("/api/jobs")).status_code == 200


async def test_a_body_of_json_is_at_most_a_mebibyte_and_a_recording_may_be_more(make_app: MakeApp) -> None:
    running = await make_app(transcription_backend="stub")
    await sign_up(running.client)
    large = await running.client.post(
        "/api/auth/login", json={"email": "a@example.org", "password": "x" * (1 << 20)}
    )
    assert (large.status_code, large.json()["error"]["code"]) == (413, "file_too_large")
    text = b"word " * 500_000
    accepted = await running.client.post("/api/transcribe", files={"file": ("talk.txt", text)})
    assert accepted.status_code == 202, accepted.text
    presigned = (
        await running.client.post("/api/files/presign", json={"filename": "talk.txt", "size": len(text)})
    ).json()
    assert (await running.client.put(presigned["url"], content=text)).status_code == 200
