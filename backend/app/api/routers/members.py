"""/api/workspaces/{id}/members and invitations: who belongs to a workspace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Response

from app.api.api_router import ApiRouter
from app.api.deps import ContainerDep, CurrentPrincipal, SystemRead, SystemWrite
from app.api.idempotency import IdempotentRoute, idempotent
from app.schemas.workspaces import (
    Invitation,
    InvitationOffer,
    Invitations,
    InvitationToken,
    Invite,
    Member,
    Members,
    RolePatch,
    Workspace,
)
from app.services.identity import invitations, members, workspaces

router = ApiRouter(tags=["members"], route_class=IdempotentRoute)


@router.get("/api/workspaces/{workspace_id}/members", name="list", response_model=Members)
async def list_members(workspace_id: UUID, principal: CurrentPrincipal, session: SystemRead) -> Any:
    """Newest first."""
    return {"items": await members.list_members(session, principal.user_id, workspace_id)}


@router.patch("/api/workspaces/{workspace_id}/members/{user_id}", name="change_role", response_model=Member)
async def change_role(
    workspace_id: UUID, user_id: UUID, body: RolePatch, principal: CurrentPrincipal, session: SystemWrite
) -> Any:
    """Owners may change everybody, admins members and viewers. 409 where no owner would be left."""
    return await members.change_role(session, principal.user_id, workspace_id, user_id, body.role)


@router.delete("/api/workspaces/{workspace_id}/members/{user_id}", name="remove", status_code=204)
async def remove(
    workspace_id: UUID, user_id: UUID, principal: CurrentPrincipal, session: SystemWrite
) -> None:
    """Their access ends at once, open streams within seconds, and so do their keys of this workspace."""
    await members.remove_member(session, principal.user_id, workspace_id, user_id)


@router.post(
    "/api/workspaces/{workspace_id}/invitations",
    name="invite",
    status_code=201,
    response_model=Invitation,
    dependencies=[idempotent("url")],
)
async def invite(
    workspace_id: UUID,
    body: Invite,
    container: ContainerDep,
    principal: CurrentPrincipal,
    session: SystemWrite,
    response: Response,
) -> Any:
    """Mails a link that is good for a week, once. Where this server sends no mail, the answer has its `url`."""
    response.headers["Cache-Control"] = "no-store"
    page_url, shown = container.settings.page_url, not container.settings.sends_mail
    made = await invitations.invite(
        session,
        principal.user_id,
        workspace_id,
        email=body.email,
        role=body.role,
        public_url=page_url,
        token_shown=shown,
    )
    session.after_commit(container.mail.wake)
    answer = Invitation.model_validate(made.invitation)
    answer.url = f"{page_url}/invite/{made.token}" if shown else None
    return answer


@router.get("/api/workspaces/{workspace_id}/invitations", name="invitations", response_model=Invitations)
async def list_invitations(workspace_id: UUID, principal: CurrentPrincipal, session: SystemRead) -> Any:
    """Those that may still be accepted, newest first; owners and admins may."""
    found = await invitations.list_invitations(session, principal.user_id, workspace_id)
    return {"items": [Invitation.model_validate(invitation) for invitation in found]}


@router.delete(
    "/api/workspaces/{workspace_id}/invitations/{invitation_id}", name="revoke_invitation", status_code=204
)
async def revoke_invitation(
    workspace_id: UUID, invitation_id: UUID, principal: CurrentPrincipal, session: SystemWrite
) -> None:
    """Its link is worth nothing from now on."""
    await invitations.revoke_invitation(session, principal.user_id, workspace_id, invitation_id)


@router.post(
    "/api/invitations/inspect",
    name="inspect_invitation",
    response_model=InvitationOffer,
)
async def inspect_invitation(body: InvitationToken, session: SystemRead, response: Response) -> Any:
    """What an invitation offers, for whoever holds its token. 410 where it is used, taken back or expired."""
    response.headers["Cache-Control"] = "no-store"
    offer = await invitations.inspect_invitation(session, body.token)
    return {
        "workspace": {"name": offer.workspace_name},
        "email": offer.email,
        "role": offer.role,
        "has_account": offer.has_account,
    }


@router.post(
    "/api/invitations/accept",
    name="accept_invitation",
    response_model=Workspace,
)
async def accept_invitation(body: InvitationToken, principal: CurrentPrincipal, session: SystemWrite) -> Any:
    """Join, signed in under the invited address; another account: 403 `wrong_account`."""
    workspace_id = await invitations.accept_invitation(session, principal.user_id, body.token)
    return await workspaces.resolve_workspace(session, principal.user_id, str(workspace_id))
