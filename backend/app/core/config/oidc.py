"""Signing in through an OpenID Connect provider."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from app.core.config.base import Group, split_commas


class OidcSettings(Group):
    """Sign-in through an OpenID Connect provider (docs/deployment/oidc.md). Off while OIDC_ISSUER is empty."""

    oidc_issuer: str = Field(
        "",
        description="The provider's issuer, exactly as its discovery document spells it, over https. Empty: off.",
    )
    oidc_client_id: str = Field("", description="What the provider calls this server.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="Goes with OIDC_CLIENT_ID. Empty: a public client, by PKCE alone."
    )
    oidc_name: str = Field(
        "", max_length=60, description="Name of the provider on the button. Empty: the issuer's host."
    )
    oidc_email_domains: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Only people whose verified address is in one of these domains, separated by commas. Empty: any.",
    )
    oidc_create_accounts: bool = Field(
        False,
        description="true: who comes from the provider without an account gets one, also with ALLOW_REGISTRATION=false.",
    )

    _domains = field_validator("oidc_email_domains", mode="before")(split_commas)
