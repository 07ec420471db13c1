"""What a bucket says, in this program's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from app.core.errors import NotFoundError, UnavailableError
from app.core.logging import get_logger

log = get_logger(__name__)

_MISSING = frozenset(
    {
        "NoSuchKey",
        "NoSuchUpload",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NotFound",
        "404",
    }
)
_CHANGED = frozenset({"PreconditionFailed", "412"})


class ObjectChangedError(Exception):
    """The object is not the one that was looked at before."""


@contextmanager
def bucket_errors() -> Iterator[None]:
    """A missing key becomes `NotFoundError`, a failed condition `ObjectChangedError`, the rest `UnavailableError`.

    A bucket that refuses us (keys, rights, no such bucket) is away for our callers, too: they can do nothing about
    it, and the log tells the operator.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise NotFoundError from error
        if code in _CHANGED:
            raise ObjectChangedError(code) from error
        log.error("bucket_refused", operation=error.operation_name, code=code)
        raise UnavailableError("The store of recordings does not answer as it should.") from error
    except (BotoCoreError, HTTPError, OSError) as error:
        log.warning("bucket_away", error=type(error).__name__)
        raise UnavailableError("The store of recordings does not answer.") from error


def refusal(error: BaseException | None) -> str | None:
    """The bucket's own code behind a translated error."""
    cause = error.__cause__ if error is not None else None
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else None
