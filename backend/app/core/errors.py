"""Errors named by what happened; each carries a stable code. HTTP is decided in one handler (`app.api.errors`)."""

from __future__ import annotations


class ConfigurationError(Exception):
    """The server cannot start as it is set up; the message says what to change. Never an HTTP answer."""


class AppError(Exception):
    """Something the caller can understand and act on.

    `code` is stable and listed in docs/api.md, `message` is a sentence for a person, `field` the path of the
    offending input ("options.language"), `retry_after` seconds.
    """

    status: int = 400
    code: str = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after
        if code is not None:
            self.code = code


class UnauthenticatedError(AppError):
    """No valid access token, session or ticket."""

    status, code = 401, "unauthenticated"


class ForbiddenError(AppError):
    """Known, but not allowed."""

    status, code = 403, "forbidden"


class NotFoundError(AppError):
    """No such thing here; another tenant's things look the same."""

    status, code = 404, "not_found"

    def __init__(self, message: str = "There is nothing at this address.") -> None:
        super().__init__(message)


class ConflictError(AppError):
    """The request does not fit what is already there."""

    status, code = 409, "conflict"


class InvalidStateError(AppError):
    """The thing exists, but not in a state that allows this."""

    status, code = 409, "invalid_state"


class InvalidInputError(AppError):
    """Well-formed, but not acceptable; `field` says where."""

    status, code = 422, "validation_error"


class FileTooLargeError(AppError):
    """More bytes than MAX_FILE_BYTES."""

    status, code = 413, "file_too_large"


class FileEmptyError(AppError):
    """A file of zero bytes."""

    status, code = 422, "file_empty"


class RateLimitedError(AppError):
    """Too much at once, or too often; `retry_after` says when it is worth another try."""

    status, code = 429, "rate_limited"


class GoneError(AppError):
    """A token that was used, has expired or never was; they look the same."""

    status, code = 410, "token_invalid"


class QuotaExceededError(AppError):
    """What a workspace may use is used up; `field` says of what, the message who can change it."""

    status, code = 402, "quota_exceeded"


class UnavailableError(AppError):
    """The database, the store or another part is away for now."""

    status, code = 503, "unavailable"

    def __init__(self, message: str, *, code: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message, code=code, retry_after=retry_after)


class JobError(AppError):
    """Why a job failed; never an HTTP answer of its own. `retryable` failures are tried again by themselves.

    Codes are the closed list "Codes of failed jobs" in docs/api.md.
    """

    status, code = 500, "engine_failed"

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message, code=code)
        self.retryable = retryable
