"""Why signing in through the provider did not work, in the words that the pages know."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Comes back as `?oidc=...` (docs/api.md, Signing in through a provider)."""

    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_REFUSED = "provider_refused"
    CANCELLED = "cancelled"
    FLOW_LOST = "flow_lost"
    TOKEN_INVALID = "token_invalid"  # noqa: S105 (a reason, not a secret)
    EMAIL_UNVERIFIED = "email_unverified"
    DOMAIN_NOT_ALLOWED = "domain_not_allowed"
    NO_ACCOUNT = "no_account"
    NOT_LINKED = "not_linked"
    ACCOUNT_DISABLED = "account_disabled"
    FIRST_ACCOUNT = "first_account"
    IDENTITY_TAKEN = "identity_taken"
    ALREADY_LINKED = "already_linked"
    SIGNED_OUT = "signed_out"


class SignInRefusedError(Exception):
    """Ends a sign-in through the provider; `detail` is for the log and holds no secret."""

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
