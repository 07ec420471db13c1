"""/api/auth: one's own account: verify the address, a forgotten password, the second factor, devices, leaving."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Depends, Response
from fastapi.responses import JSONResponse

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentPrincipal
from app.api.no_store import no_store
from app.schemas.auth import (
    AccountDelete,
    BackupCodes,
    CodeOnly,
    EmailOnly,
    FactorSetup,
    FactorState,
    NamePatch,
    OpenSessions,
    PasswordAndCode,
    PasswordOnly,
    PasswordReset,
    Sent,
    TokenOnly,
    UserMe,
)
from app.storage.disposition import content_disposition

router = ApiRouter(prefix="/api/auth", tags=["account"], dependencies=[Depends(no_store)])


@router.post("/verify-email", name="verify_email", status_code=204)
async def verify_email(body: TokenOnly, container: ContainerDep) -> None:
    """The token of the mailed link. 410 `token_invalid` where it was used or has expired."""
    await container.identity.recovery.verify_email(body.token)


@router.post("/verify-email/resend", name="resend_verification", status_code=202, response_model=Sent)
async def resend_verification(body: EmailOnly, container: ContainerDep) -> Any:
    """Another link, where an account waits for it. The answer never tells."""
    await container.identity.recovery.resend_verification(body.email)
    return Sent()


@router.post("/password/forgot", name="forgot_password", status_code=202, response_model=Sent)
async def forgot_password(body: EmailOnly, container: ContainerDep) -> Any:
    """Mails a link to a new password, where there is an account. The answer never tells."""
    await container.identity.recovery.send_reset(body.email)
    return Sent()


@router.post("/password/reset/check", name="check_reset", status_code=204)
async def check_reset(body: TokenOnly, container: ContainerDep) -> None:
    """Whether the mailed token is still good, for a page that asks for a new password. Uses nothing up.

    410 `token_invalid` where it was used or has expired.
    """
    await container.identity.recovery.check_reset(body.token)


@router.post("/password/reset", name="reset_password", status_code=204)
async def reset_password(body: PasswordReset, container: ContainerDep) -> None:
    """A new password by the mailed token, which is good once. All sessions end."""
    await container.identity.recovery.reset_password(body.token, body.new_password)


@router.get("/totp", name="totp", response_model=FactorState)
async def read_totp(principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """Whether the second factor is on, and how many backup codes are left."""
    return await container.identity.factor.state(principal.user_id)


@router.post("/totp/setup", name="set_up_totp", response_model=FactorSetup)
async def set_up_totp(body: PasswordOnly, principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """A secret for an authenticator app; it counts from `enable` on."""
    return await container.identity.factor.set_up(principal.user_id, body.password)


@router.post("/totp/enable", name="enable_totp", response_model=BackupCodes)
async def enable_totp(body: CodeOnly, principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """Switch the second factor on with a code of the app. Answers the backup codes, once."""
    return BackupCodes(backup_codes=await container.identity.factor.enable(principal.user_id, body.code))


@router.post("/totp/disable", name="disable_totp", status_code=204)
async def disable_totp(body: PasswordAndCode, principal: CurrentPrincipal, container: ContainerDep) -> None:
    """Take the second factor off."""
    await container.identity.factor.disable(principal.user_id, body.password, body.code)


@router.post("/totp/backup-codes", name="renew_backup_codes", response_model=BackupCodes)
async def renew_backup_codes(
    body: PasswordAndCode, principal: CurrentPrincipal, container: ContainerDep
) -> Any:
    """Ten new backup codes; the old ones are worth nothing any more."""
    codes = await container.identity.factor.renew_codes(principal.user_id, body.password, body.code)
    return BackupCodes(backup_codes=codes)


@router.get("/sessions", name="sessions", response_model=OpenSessions)
async def list_sessions(principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """Where you are signed in, newest first."""
    return {"items": await container.sessions.list_open(principal)}


@router.delete("/sessions/{session_id}", name="revoke_session", status_code=204)
async def revoke_session(session_id: UUID, principal: CurrentPrincipal, container: ContainerDep) -> None:
    """Sign one device out, at once."""
    await container.sessions.revoke(principal, session_id)


@router.delete("/sessions", name="revoke_other_sessions", status_code=204)
async def revoke_other_sessions(principal: CurrentPrincipal, container: ContainerDep) -> None:
    """Sign every other device out, at once."""
    await container.sessions.revoke_others(principal)


@router.patch("/me", name="rename", response_model=UserMe)
async def rename(body: NamePatch, principal: CurrentPrincipal, container: ContainerDep) -> Any:
    """Change what you are called."""
    await container.identity.rename(principal, body.name)
    return await container.identity.profile(principal.user_id)


@router.get("/export", name="export", response_class=JSONResponse)
async def export(principal: CurrentPrincipal, container: ContainerDep) -> Response:
    """What is known about you, as a file: account, workspaces, sign-ins, keys, your own acts. No secrets."""
    data = await container.identity.export(principal)
    disposition = content_disposition("attachment", "account.json")
    return JSONResponse(data, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})


@router.post("/delete", name="delete", status_code=204)
async def delete(body: AccountDelete, principal: CurrentPrincipal, container: ContainerDep) -> None:
    """The account, and each workspace that nobody else belongs to, with everything in it. It cannot be undone."""
    await container.identity.delete(principal, body.password, body.code)
