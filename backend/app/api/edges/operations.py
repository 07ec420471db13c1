"""The one table of what counts as what; everything that is not in it is an ordinary request."""

from __future__ import annotations

from enum import StrEnum

from starlette.routing import compile_path


class Kind(StrEnum):
    """Operations that are counted for themselves."""

    SUBMISSION = "submissions"  # makes work for the engines
    UPLOAD = "uploads"  # takes room in the store
    AUTH = "auth"  # can be guessed at, hashes a password, or sends a mail
    UNLOCK = "unlock"  # can be guessed at


OPERATIONS: dict[tuple[str, str], Kind] = {
    ("POST", "/api/jobs"): Kind.SUBMISSION,
    ("POST", "/api/transcribe"): Kind.SUBMISSION,
    ("POST", "/api/jobs/bulk"): Kind.SUBMISSION,
    ("POST", "/api/jobs/{job_id}/retry"): Kind.SUBMISSION,
    ("POST", "/api/jobs/{job_id}/gaps/retry"): Kind.SUBMISSION,
    ("POST", "/api/jobs/{job_id}/speakers/retry"): Kind.SUBMISSION,
    ("POST", "/api/files/presign"): Kind.UPLOAD,
    ("POST", "/api/auth/register"): Kind.AUTH,
    ("POST", "/api/auth/login"): Kind.AUTH,
    ("POST", "/api/auth/token"): Kind.AUTH,
    ("POST", "/api/auth/password"): Kind.AUTH,
    ("POST", "/api/auth/verify-email"): Kind.AUTH,
    ("POST", "/api/auth/verify-email/resend"): Kind.AUTH,
    ("POST", "/api/auth/password/forgot"): Kind.AUTH,
    ("POST", "/api/auth/password/reset"): Kind.AUTH,
    ("POST", "/api/auth/password/reset/check"): Kind.AUTH,
    ("POST", "/api/auth/totp/setup"): Kind.AUTH,
    ("POST", "/api/auth/totp/enable"): Kind.AUTH,
    ("POST", "/api/auth/totp/disable"): Kind.AUTH,
    ("POST", "/api/auth/totp/backup-codes"): Kind.AUTH,
    ("POST", "/api/auth/oidc/factor"): Kind.AUTH,
    ("POST", "/api/auth/oidc/link"): Kind.AUTH,
    ("POST", "/api/auth/delete"): Kind.AUTH,
    ("POST", "/api/workspaces/{workspace_id}/invitations"): Kind.AUTH,
    ("POST", "/api/invitations/inspect"): Kind.AUTH,
    ("POST", "/api/invitations/accept"): Kind.AUTH,
    ("POST", "/api/shares/{token}/unlock"): Kind.UNLOCK,
}

_FIXED = {(method, path): kind for (method, path), kind in OPERATIONS.items() if "{" not in path}
_PATTERNS = [
    (method, compile_path(path)[0], kind) for (method, path), kind in OPERATIONS.items() if "{" in path
]


def kind_of(method: str, path: str) -> Kind | None:
    """What a request counts as beside being one."""
    if method != "POST":
        return None
    kind = _FIXED.get((method, path))
    if kind is not None:
        return kind
    return next((k for verb, pattern, k in _PATTERNS if verb == method and pattern.match(path)), None)
