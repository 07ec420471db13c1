"""The rule under which a page may send parts to the bucket and read what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

METHODS = ("GET", "HEAD", "PUT")
EXPOSED = ("ETag", "Content-Disposition", "Content-Range")

Rule = dict[str, Any]


def rule_for(origins: Sequence[str]) -> Rule:
    """Without `ETag` among the exposed headers a page cannot say which parts it has sent."""
    return {
        "AllowedOrigins": list(origins),
        "AllowedMethods": list(METHODS),
        "AllowedHeaders": ["*"],
        "ExposeHeaders": list(EXPOSED),
        "MaxAgeSeconds": 3600,
    }


def refused_origins(rules: Iterable[Rule], origins: Sequence[str]) -> list[str]:
    """Those of `origins` whose pages could not work with the bucket under these rules."""
    rules = list(rules)
    return [origin for origin in origins if not any(_allows(rule, origin) for rule in rules)]


def _allows(rule: Rule, origin: str) -> bool:
    exposed = {name.lower() for name in rule.get("ExposeHeaders", [])}
    return (
        any(fnmatchcase(origin, pattern) for pattern in rule.get("AllowedOrigins", []))
        and set(METHODS) <= set(rule.get("AllowedMethods", []))
        and "etag" in exposed
        and "*" in rule.get("AllowedHeaders", [])
    )
