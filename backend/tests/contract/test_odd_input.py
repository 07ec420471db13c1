"""What fuzzers and people send by mistake: an answer of the document each time, never a failure of ours (R18)."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.api.test_jobs import finished
from tests.fixtures.app import MakeApp
from tests.fixtures.identity import register

BIG = 10**30
DIGITS = "9" * 5000
TEXTS = {
    "NUL": "a\0b",
    "half of a character": "\ud800",
    "direction marks": "a\u202eb\u2066",
    "emoji": "🎙" * 40,
    "not composed": "e\u0301" * 40,
    "line breaks": "a\r\nX-Evil: 1\r\n\r\nb",
    "escapes": "\x1b[2J\x07",
    "very long": "x" * 70_000,
}
TIMES = {
    "beyond the calendar": "9999-12-31T23:59:59-14:00",
    "before it": "0001-01-01T00:00:00+14:00",
    "naive": "2031-01-01T00:00:00",
    "a number": BIG,
    "a leap second": "2016-12-31T23:59:60Z",
}


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


CURSORS = {
    "naive": cursor("2026-01-01T00:00:00", "0" * 32),
    "beyond the calendar": cursor("9999-12-31T23:59:59-14:00", "0" * 32),
    "before it": cursor("0001-01-01T00:00:00+14:00", "0" * 32),
    "a day": cursor("2026-01-01", "0" * 32),
    "braces": cursor("2026-01-01T00:00:00+00:00", "{" + "0" * 32 + "}"),
    "one part": cursor("2026-01-01T00:00:00+00:00"),
    "numbers": cursor(1, 2),
    "an object": base64.urlsafe_b64encode(b'{"a": 1, "b": 2}').decode(),
    "nothing of ours": "%%%%",
    "NUL": "\0",
}


def requests(job_id: str, workspace_id: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What is odd, method, path, and what goes along."""
    job, own = f"/api/jobs/{job_id}", f"/api/workspaces/{workspace_id}"
    found: list[tuple[str, str, str, dict[str, Any]]] = []
    for name, text in TEXTS.items():
        bodies: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/api/auth/login", {"email": text, "password": text}),
            ("POST", "/api/auth/register", {"email": text, "password": text, "name": text}),
            (
                "POST",
                "/api/auth/register",
                {"email": "eve@example.org", "password": f"{text} a long pass phrase"},
            ),
            ("POST", "/api/auth/password/forgot", {"email": text}),
            ("POST", "/api/auth/password/reset", {"token": text, "new_password": text}),
            ("POST", "/api/auth/verify-email", {"token": text}),
            ("POST", "/api/auth/totp/enable", {"code": text}),
            ("PATCH", "/api/auth/me", {"name": text}),
            ("POST", "/api/invitations/inspect", {"token": text}),
            ("POST", "/api/invitations/accept", {"token": text}),
            ("POST", "/api/files/presign", {"filename": text, "size": 5, "content_type": text}),
            ("POST", "/api/files/complete", {"upload_id": text, "parts": [{"part_number": 1, "etag": text}]}),
            ("POST", "/api/jobs", {"file_id": job_id, "language": text, "engine": text, "model": text}),
            ("POST", "/api/jobs", {"url": text}),
            ("POST", "/api/jobs", {"file_id": job_id, "prompt": text, "vocabulary": [text]}),
            ("POST", f"{job}/retry", {"engine": text, "model": text}),
            ("PATCH", f"{job}/speakers/S1", {"name": text}),
            ("POST", f"{job}/shares", {"password": text}),
            ("PUT", f"{job}/grants", {"email": text, "permission": "view"}),
            ("PATCH", own, {"name": text}),
            ("DELETE", own, {"name": text}),
            ("PATCH", f"{own}/settings", {"prompt": text, "vocabulary": [text], "language": text}),
            ("POST", f"{own}/invitations", {"email": text}),
            ("POST", f"{own}/api-keys", {"name": text, "scopes": [text]}),
        ]
        for method, path, body in bodies:
            found.append((name, method, path, {"content": json.dumps(body).encode()}))
        for path in ("/api/jobs", "/api/files"):
            found.append((name, "GET", path, {"params": {"q": safe(text)[:3000], "status": safe(text)[:30]}}))
        form = {"username": safe(text), "password": safe(text)}
        found.append((name, "POST", "/api/auth/token", {"data": form}))
        found.append(
            (
                name,
                "POST",
                "/api/transcribe",
                {"files": {"file": ("a.txt", b"x")}, "data": {"prompt": safe(text)}},
            )
        )
    for name, time in TIMES.items():
        for path in (f"{job}/shares", f"{own}/api-keys"):
            body = {"expires_at": time} | ({"name": "k", "scopes": ["read"]} if "keys" in path else {})
            found.append((f"time {name}", "POST", path, {"content": json.dumps(body).encode()}))
    for name, value in CURSORS.items():
        for path in ("/api/jobs", "/api/files", "/api/shared", f"{own}/audit"):
            found.append((f"cursor {name}", "GET", path, {"params": {"cursor": value}}))
    for name, value in {"huge": BIG, "negative": -BIG, "infinite": "Infinity", "text": "1e400"}.items():
        numbers: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "/api/files/presign", {"filename": "a.wav", "size": value}),
            ("POST", f"/api/files/uploads/{job_id}/parts", {"part_numbers": [value]}),
            ("POST", f"{job}/gaps/retry", {"start_ms": value, "end_ms": value}),
            ("POST", f"{job}/gaps/retry", {"start_ms": 0, "end_ms": value}),
            ("POST", f"{job}/speakers/retry", {"speakers": value}),
            ("POST", "/api/jobs", {"file_id": job_id, "speakers": value, "max_speakers": value}),
            ("PATCH", f"{own}/settings", {"media_days": value, "transcript_days": value}),
            (
                "PATCH",
                f"/api/admin/workspaces/{workspace_id}/quotas",
                dict.fromkeys(("minutes", "storage_bytes", "parallel_jobs", "members"), value),
            ),
        ]
        found += [(f"number {name}", m, p, {"content": json.dumps(b).encode()}) for m, p, b in numbers]
        found.append((f"number {name}", "GET", "/api/jobs", {"params": {"limit": value}}))
        found.append((f"number {name}", "GET", f"{own}/usage", {"params": {"month": value}}))
    for month in ("2026-00", "20٢٦-01", "2099-12", "20\0\0-01"):
        found.append((f"month {month!r}", "GET", f"{own}/usage", {"params": {"month": month}}))
    for last in (DIGITS, str(BIG), str(2**63), "-1", "٣", "1e3", ""):
        found.append(
            (f"last id {last[:9]}", "GET", f"{job}/events", {"headers": {"Last-Event-ID": last.encode()}})
        )
    for header in (
        "Authorization",
        "X-Workspace-Id",
        "Cookie",
        "Origin",
        "User-Agent",
        "If-None-Match",
        "X-Request-Id",
    ):
        for value in (
            b"\xff\xfe",
            b"Bearer \xc3\xa9",
            b"x" * 8000,
            b"",
            b"transcribe_share=\xff; transcribe_refresh=\xff",
        ):
            found.append((f"header {header}", "GET", job, {"headers": {header: value}}))
            found.append((f"header {header}", "POST", "/api/auth/refresh", {"headers": {header: value}}))
    for raw in (b"", b"null", b"[]", b"\xff", b'{"a":', b"[" * 50_000, b"1" * 10_000, b"NaN", b'"\\ud800"'):
        for path in ("/api/jobs", "/api/auth/login", f"{job}/retry"):
            found.append((f"body {raw[:9]!r}", "POST", path, {"content": raw}))
    for kind in (
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=utf-7",
        "\xff",
    ):
        for path in ("/api/jobs", "/api/transcribe", "/api/auth/token"):
            sent = {"content": b"{}", "headers": {"Content-Type": kind.encode("latin-1")}}
            found.append((f"type {kind}", "POST", path, sent))
    for part in ("%00", "%ED%A0%80", "%FF", "..%2f..%2f", "%0d%0a", "x" * 5000, "%F0%9F%8E%99", "{}", "*"):
        for path in (
            "/api/jobs/{}",
            "/api/shares/{}",
            "/api/shares/{}/result",
            "/api/store/objects/{}",
            "/{}",
        ):
            found.append((f"path {part[:9]}", "GET", path.replace("{}", part), {}))
        for method, path in (
            ("PATCH", f"{job}/speakers/{part}"),
            ("POST", f"/api/admin/models/{part}/verify"),
            ("DELETE", f"/api/admin/models/{part}"),
            ("POST", f"/api/shares/{part}/unlock"),
        ):
            found.append((f"path {part[:9]}", method, path, {"content": b'{"name": "x", "password": "x"}'}))
    return found


def safe(text: str) -> str:
    """What a form or a query can carry: half a character has no bytes."""
    return text.encode("utf-8", "replace").decode()


async def test_r18_odd_input_is_answered_as_documented(make_app: MakeApp, database_url: str) -> None:
    app = await make_app(
        database_url=database_url,
        transcription_backend="stub",
        raise_app_exceptions=False,
        url_ingestion="on",
        url_allowlist=("recordings.invalid",),
        log_level="ERROR",
    )
    client = app.client
    ada = await register(client)
    client.headers.update(ada.bearer)
    job = await finished(client)
    failed = []
    for name, method, path, sent in requests(job["id"], ada.workspace_id):
        headers = {"Content-Type": "application/json"} if "content" in sent else {}
        sent = sent | {"headers": headers | sent.get("headers", {})}
        answer = await client.request(method, path, **sent)
        if answer.status_code >= 500:
            failed.append(f"{name}: {method} {path[:80]}: {answer.status_code}")
    assert failed == [], "\n".join(failed)
