"""Brings recordings from the web: what may be reached, the process that fetches, and what can go wrong there."""

from app.fetch.errors import FetchError, UrlNotAllowedError
from app.fetch.fetcher import Entry, Fetched, Fetcher
from app.fetch.urls import SiteRules, check_target, check_url

__all__ = [
    "Entry",
    "FetchError",
    "Fetched",
    "Fetcher",
    "SiteRules",
    "UrlNotAllowedError",
    "check_target",
    "check_url",
]
