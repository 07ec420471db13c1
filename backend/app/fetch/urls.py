"""Which links this server takes, as far as their spelling tells. Names are judged by their addresses at the last hop."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.fetch.addresses import is_private_target, is_public, literal_address
from app.fetch.errors import UrlNotAllowedError

MAX_LENGTH = 2048
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "home.arpa", "corp", "private")


@dataclass(frozen=True, slots=True)
class SiteRules:
    """`allow`: only these sites and what is below them, where it is not empty; `block`: never these."""

    allow: Sequence[str] = ()
    block: Sequence[str] = ()

    def check(self, host: str) -> None:
        """Raises `UrlNotAllowedError`."""
        if any(_is_below(host, site) for site in self.block):
            raise UrlNotAllowedError(f"This server does not fetch from {host}.")
        if self.allow and not any(_is_below(host, site) for site in self.allow):
            raise UrlNotAllowedError(
                f"This server fetches from certain sites only, and {host} is none of them: "
                f"{', '.join(self.allow)}."
            )


def check_url(url: str, rules: SiteRules, *, permitted: Sequence[tuple[str, int]] = ()) -> str:
    """The link without blanks around it. Raises `UrlNotAllowedError` with what is wrong.

    `permitted` addresses are reached although they are not public: for tests, which have no other.
    """
    text, parts, host = _read(url)
    if (host, parts.port or (443 if parts.scheme == "https" else 80)) in permitted:
        return text
    _require_public(host)
    rules.check(host)
    return text


def check_target(url: str, *, private: bool = False, https_only: bool = False) -> str:
    """The same for an address that this server is to send to. `private`: on this machine and its network, too.

    Raises `UrlNotAllowedError`.
    """
    text, parts, host = _read(url)
    if https_only and parts.scheme != "https":
        raise UrlNotAllowedError("The address has to begin with https://.")
    address = literal_address(host)
    if private and (address is None or is_private_target(address)):
        return text
    _require_public(host)
    return text


def _read(url: str) -> tuple[str, SplitResult, str]:
    """The link, its parts, and its host as name servers see it. Raises `UrlNotAllowedError`."""
    text = url.strip()
    if not text or len(text) > MAX_LENGTH:
        raise UrlNotAllowedError(f"A link has 1 to {MAX_LENGTH} characters.")
    if not text.lower().startswith(("http://", "https://")):
        raise UrlNotAllowedError("This is not a link: it should begin with https://.")
    if "\\" in text or any(c.isspace() or unicodedata.category(c).startswith("C") for c in text):
        raise UrlNotAllowedError("The link holds a blank or another character that no address has.")
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is none
    except ValueError:
        raise UrlNotAllowedError("This is not a link.") from None
    if parts.username is not None or parts.password is not None:
        raise UrlNotAllowedError("Leave the user name and the password out of the link.")
    return text, parts, _ascii(parts.hostname or "")


def _require_public(host: str) -> None:
    address = literal_address(host)
    if address is not None and not is_public(address):
        raise UrlNotAllowedError("The link leads to an address that is not public.")
    if address is None and ("." not in host or any(_is_below(host, name) for name in _LOCAL_NAMES)):
        raise UrlNotAllowedError("The link leads to a name that is not public.")


def _ascii(host: str) -> str:
    """As name servers see it: other alphabets in their ASCII form, other dots as dots."""
    if ":" in host:
        return host
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name.lower()):
        raise UrlNotAllowedError("The link names no site.")
    return name.rstrip(".").lower()


def _is_below(host: str, site: str) -> bool:
    name = site.strip().strip(".").lower()
    return host == name or host.endswith(f".{name}")
