"""How to ask for each operation of the API, for the tenant fuzz. An operation without a row here fails the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Ids = Mapping[str, str]
Kind = Literal["open", "own", "tenant", "path", "token", "grant", "admin"]


@dataclass(frozen=True, slots=True)
class Op:
    """`kind` says by what an operation finds its workspace:

    open: of no tenant, asked without an account (`why`) · own: of the account that asks · tenant: X-Workspace-Id ·
    path: a workspace in the path · token: a share link's token · grant: a job that was shared with the account ·
    admin: for administrators of the server.
    `needs` is the least role that may; `body` makes one from ids; `stream` never ends by itself; `each` answers 200 with
    an item for every id that was named, in which an unknown one is refused.
    """

    kind: Kind
    needs: Literal["viewer", "member", "manager"] = "viewer"
    body: Callable[[Ids], Any] | None = None
    form: bool = False
    stream: bool = False
    each: bool = False
    why: str = ""


def fixed(**fields: Any) -> Callable[[Ids], Any]:
    return lambda _ids: fields


READ = Op("tenant")
WRITE = Op("tenant", "member")
OWNERS = Op("tenant", "manager")
OWN = Op("own")
PATH = Op("path")
MANAGE = Op("path", "manager")
TOKEN = Op("token")
GRANT = Op("grant")
ADMIN = Op("admin")
CREDENTIAL = Op("open", why="what it takes is the credential itself")
PUBLIC = Op("open", why="says nothing of any tenant")

TABLE: dict[str, Op] = {
    "auth_register": CREDENTIAL,
    "auth_login": CREDENTIAL,
    "auth_token": CREDENTIAL,
    "auth_refresh": CREDENTIAL,
    "auth_logout": CREDENTIAL,
    "account_verify_email": CREDENTIAL,
    "account_resend_verification": CREDENTIAL,
    "account_forgot_password": CREDENTIAL,
    "account_check_reset": CREDENTIAL,
    "account_reset_password": CREDENTIAL,
    "oidc_start": PUBLIC,
    "oidc_callback": CREDENTIAL,
    "oidc_factor": CREDENTIAL,
    "oidc_link": Op("own", body=fixed(password="x" * 20)),
    "oidc_identities": OWN,
    "oidc_remove": OWN,
    "members_inspect_invitation": CREDENTIAL,
    "members_accept_invitation": Op("own", body=fixed(token="x" * 43)),
    "auth_me": OWN,
    "auth_password": Op("own", body=fixed(current_password="x" * 20, new_password="y" * 20)),
    "auth_ticket": OWN,
    "account_rename": Op("own", body=fixed(name="Eve")),
    "account_totp": OWN,
    "account_set_up_totp": Op("own", body=fixed(password="x" * 20)),
    "account_enable_totp": Op("own", body=fixed(code="123456")),
    "account_disable_totp": Op("own", body=fixed(password="x" * 20, code="123456")),
    "account_renew_backup_codes": Op("own", body=fixed(password="x" * 20, code="123456")),
    "account_sessions": OWN,
    "account_revoke_other_sessions": OWN,
    "account_revoke_session": OWN,
    "account_export": OWN,
    "account_delete": Op("own", body=fixed(password="x" * 20)),
    "files_presign": Op("tenant", "member", fixed(filename="a.wav", size=10)),
    "files_sign_parts": Op("tenant", "member", fixed(part_numbers=[1])),
    "files_list_parts": READ,
    "files_abort": WRITE,
    "files_complete": Op("tenant", "member", lambda ids: {"upload_id": ids["upload_id"]}),
    "files_list": READ,
    "files_get": READ,
    "files_delete": WRITE,
    "files_url": READ,
    "files_peaks": READ,
    "files_thumbnail": READ,
    "jobs_transcribe": Op("tenant", "member", form=True),
    "live_list_events": Op("tenant", stream=True),
    "live_job_events": READ,
    "jobs_create": Op("tenant", "member", lambda ids: {"file_id": ids["file_id"]}),
    "jobs_list": READ,
    "jobs_get": READ,
    "jobs_history": READ,
    "jobs_delete": WRITE,
    "jobs_cancel": WRITE,
    "jobs_retry": WRITE,
    "jobs_retry_now": WRITE,
    "jobs_count": READ,
    "jobs_bulk": Op("tenant", "member", lambda ids: {"action": "delete", "ids": [ids["job_id"]]}, each=True),
    "jobs_retry_gaps": WRITE,
    "jobs_retry_speakers": WRITE,
    "jobs_name_speaker": Op("tenant", "member", fixed(name="Eve")),
    "jobs_result": READ,
    "jobs_download": READ,
    "shares_create": Op("tenant", "member", fixed(allow_download=True)),
    "shares_list": WRITE,
    "shares_change": Op("tenant", "member", fixed(allow_download=True)),
    "shares_revoke": WRITE,
    "shares_grant": Op("tenant", "member", lambda ids: {"email": ids["email"], "permission": "edit"}),
    "shares_list_grants": WRITE,
    "shares_revoke_grant": WRITE,
    "share_links_look": TOKEN,
    "share_links_unlock": Op("token", body=fixed(password="not the password")),
    "share_links_result": TOKEN,
    "share_links_media": TOKEN,
    "share_links_peaks": TOKEN,
    "share_links_download": TOKEN,
    "share_links_events": TOKEN,
    "shared_list": OWN,
    "shared_get": GRANT,
    "shared_result": GRANT,
    "shared_media": GRANT,
    "shared_peaks": GRANT,
    "shared_download": GRANT,
    "shared_events": GRANT,
    "shared_name_speaker": Op("grant", body=fixed(name="Eve")),
    "workspaces_list": OWN,
    "workspaces_create": Op("own", body=fixed(name="Eve's second")),
    "workspaces_get": PATH,
    "workspaces_rename": Op("path", "manager", fixed(name="taken")),
    "workspaces_delete": Op("path", "manager", fixed(name="victim's workspace")),
    "workspaces_leave": PATH,
    "workspaces_settings": PATH,
    "workspaces_change_settings": Op("path", "manager", fixed(prompt="taken")),
    "workspaces_usage": PATH,
    "workspaces_audit": MANAGE,
    "members_list": PATH,
    "members_change_role": Op("path", "manager", fixed(role="viewer")),
    "members_remove": MANAGE,
    "members_invite": Op("path", "manager", fixed(email="friend@example.org", role="member")),
    "members_invitations": MANAGE,
    "members_revoke_invitation": MANAGE,
    "api_keys_create": Op("path", body=fixed(name="k", scopes=["read"])),
    "api_keys_list": PATH,
    "api_keys_revoke": PATH,
    "webhooks_create": Op("tenant", "manager", fixed(url="https://hooks.example.org/x")),
    "webhooks_list": OWNERS,
    "webhooks_get": OWNERS,
    "webhooks_change": Op("tenant", "manager", fixed(description="taken")),
    "webhooks_delete": OWNERS,
    "webhooks_rotate": OWNERS,
    "webhooks_test": OWNERS,
    "webhooks_recover": OWNERS,
    "webhooks_deliveries": OWNERS,
    "webhooks_delivery": OWNERS,
    "webhooks_replay": OWNERS,
    "administration_status": ADMIN,
    "administration_models": ADMIN,
    "administration_download_model": ADMIN,
    "administration_verify_model": ADMIN,
    "administration_remove_model": ADMIN,
    "administration_workspaces": ADMIN,
    "administration_set_quotas": Op("admin", body=fixed(minutes=1)),
    "operations_health": PUBLIC,
    "operations_ready": PUBLIC,
    "operations_version": PUBLIC,
    "operations_metrics": PUBLIC,
    "operations_options": PUBLIC,
}
