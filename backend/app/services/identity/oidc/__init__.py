"""Signing in through an OpenID Connect provider (ADR 0023)."""

from app.services.identity.oidc.errors import Refusal, SignInRefusedError
from app.services.identity.oidc.identities import LinkedIdentity
from app.services.identity.oidc.service import Landing, Place, ProviderSignIn

__all__ = ["Landing", "LinkedIdentity", "Place", "ProviderSignIn", "Refusal", "SignInRefusedError"]
