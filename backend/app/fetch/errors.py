"""Why a recording could not be fetched, in codes and sentences: the table that turns a site's words into ours."""

from __future__ import annotations

import re

from app.core.errors import AppError, JobError


class UrlNotAllowedError(AppError):
    """This server does not go to such an address."""

    status, code = 422, "url_not_allowed"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="url")


class FetchError(JobError):
    """A link that did not become a recording."""


SENTENCES = {
    "url_not_allowed": "The link leads to an address that this server does not go to.",
    "fetch_timeout": "The site was too slow, so the download was broken off. Try again later.",
    "fetch_failed": "The site could not be read. Try again later, or download the recording and upload it.",
    "fetch_too_large": "The recording is larger than this server takes.",
    "fetch_login_required": "The site asks for a sign-in, or refuses to hand this recording out.",
    "fetch_region_blocked": "The site does not offer this recording in the country of this server.",
    "fetch_live": "This is a live stream. Come back when it is over and the recording is there.",
    "fetch_removed": "There is no recording at this address: it was removed, or never was there.",
    "fetch_unsupported": "There is no recording on this page that this server can find.",
    "duration_limit": "The recording is longer than this server takes.",
}

# yt-dlp's own words, most telling first. What nothing here knows is `fetch_failed`.
_WORDS = {
    "fetch_region_blocked": (
        "not available (in|from) your (country|location|region)",
        "geo.?restrict",
        "available in your country",
        "blocked it in your country",
    ),
    "fetch_login_required": (
        "sign in to confirm",
        "log ?in",
        "cookies",
        "members.only",
        "private video",
        "authenticat",
        "password",
        "subscri",
        r"http error 40[123]\b",
        "unauthorized",
        "forbidden",
    ),
    "fetch_live": ("live event", "is live", "live stream", "premieres? in", "is offline", "upcoming"),
    "fetch_removed": (
        "removed",
        "deleted",
        "terminated",
        "no longer",
        "does not exist",
        "not found",
        r"http error (404|410)\b",
        "video unavailable",
        "taken down",
    ),
    "fetch_unsupported": (
        "unsupported url",
        "no video formats",
        "no media",
        "no formats",
        "there('s| is) no video",
        "unable to extract",
        r"\bdrm\b",
        "requested format is not available",
    ),
    "fetch_too_large": ("file is larger than", "max.?filesize"),
    "fetch_timeout": ("timed? ?out", "timeout"),
}
_PATTERNS = {code: re.compile("|".join(words), re.IGNORECASE) for code, words in _WORDS.items()}
_TRANSIENT = re.compile(
    r"http error (429|5\d\d)|timed? ?out|timeout|connection (reset|refused|aborted)|temporar|incomplete|remote end",
    re.IGNORECASE,
)


def classify(message: str) -> str:
    """The code for what yt-dlp said."""
    return next((code for code, words in _PATTERNS.items() if words.search(message)), "fetch_failed")


def failure(code: str, message: str = "") -> FetchError:
    """`message` is what the site or yt-dlp said; it decides whether another try makes sense, and is shown to nobody."""
    transient = code == "fetch_timeout" or (code == "fetch_failed" and bool(_TRANSIENT.search(message)))
    return FetchError(code, SENTENCES[code], retryable=transient)
