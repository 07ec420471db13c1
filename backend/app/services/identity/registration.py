"""Who may register, and how the first account, the administrator's, is made."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from app.core.config import Settings
from app.core.errors import (
    ForbiddenError,
)
from app.core.logging import get_logger
from app.core.passwords import Passwords
from app.core.security import derive_key, same_text
from app.db.session import Database, SystemSession
from app.services.identity.credentials import check_new_password, normalize_email, normalize_name
from app.services.identity.invitations import accept_invitation, inspect_invitation
from app.services.identity.recovery import FLOOR_SECONDS, Recovery, at_least
from app.services.identity.sessions import Device, Sessions, SignIn
from app.services.identity.users import (
    add_user,
    address_taken,
    any_user,
    find_user,
    lock_first_account,
)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """Whether anybody may register now, and what the first one has to bring."""

    open: bool
    needs_first_account: bool
    setup_token_required: bool


class Registration:
    """Makes accounts. Hashing never happens inside a transaction."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        recovery: Recovery,
        *,
        secret: bytes,
    ) -> None:
        self._settings = settings
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._recovery = recovery
        # Derived, so that every node prints the same one; it opens nothing once an account exists.
        self.setup_token = base64.b32encode(derive_key(secret, "setup-token", 20)).decode()

    async def state(self, session: SystemSession, *, reached_on_loopback: bool = True) -> RegistrationState:
        """`reached_on_loopback=False`: a request came in over the network, whatever HOST says."""
        first = not await any_user(session)
        private = self._settings.server.listens_on_loopback and self._settings.edges.trusted_proxies == 0
        local_only = private and reached_on_loopback
        return RegistrationState(
            open=self._settings.identity.allow_registration,
            needs_first_account=first,
            setup_token_required=first and not local_only,
        )

    async def needed_setup_token(self) -> str | None:
        """What the log should print at start: the token, while the first account waits for it."""
        async with self._database.system(read_only=True) as session:
            state = await self.state(session)
        return self.setup_token if state.open and state.setup_token_required else None

    async def register(
        self,
        *,
        email: str,
        password: str,
        name: str | None,
        setup_token: str | None,
        device: Device,
        reached_on_loopback: bool = True,
        invitation_token: str | None = None,
    ) -> SignIn | None:
        """A new account, its workspace and its first session, in one transaction.

        None where the address has to be verified first: then nothing tells a new address from a known one. Whoever
        brings an invitation may register where that is closed, and joins; that mail arrives they have shown only where
        the invitation came by mail and its link was shown to nobody.

        The first account is the administrator: where the server listens on loopback only, or with the setup token.
        Of two first registrations at once one wins (advisory lock on Postgres, the single writer on SQLite).
        """
        invitation_token = invitation_token or None  # an empty one opens no door
        if not self._settings.identity.allow_registration and invitation_token is None:
            raise ForbiddenError(
                "Registration is closed. An operator can add you with `transcribe admin create` on the server."
            )
        async with self._database.system(read_only=True) as session:
            state = await self.state(session, reached_on_loopback=reached_on_loopback)
            offer = await inspect_invitation(session, invitation_token) if invitation_token else None
        self._check_setup_token(state, setup_token)
        email, name = normalize_email(email), normalize_name(name)
        check_new_password(password, email, self._settings.identity.password_min_length)
        if offer is not None and offer.email != email:
            raise ForbiddenError(
                f"This invitation is for {offer.email}. Register with that address.",
                code="wrong_account",
                field="email",
            )
        proved = offer is not None and offer.proves_address
        verifying = self._settings.identity.email_verification and not proved
        if verifying:
            async with at_least(2 * FLOOR_SECONDS):
                await self._register_quietly(email, name, password, state, invitation_token)
            return None
        async with self._database.system(read_only=True) as session:
            if await find_user(session, email) is not None:
                raise address_taken()
        password_hash = await self._passwords.hash(password)
        async with self._database.system() as session:
            await lock_first_account(session)
            state = await self.state(session, reached_on_loopback=reached_on_loopback)
            self._check_setup_token(state, setup_token)
            user = await add_user(session, email, name, password_hash, is_admin=state.needs_first_account)
            if invitation_token is not None:
                await accept_invitation(session, user.id, invitation_token)
            return await self._sessions.open(session, user, device)

    async def _register_quietly(
        self, email: str, name: str, password: str, state: RegistrationState, invitation_token: str | None
    ) -> None:
        """The same work whether the address is known or not; its owner learns by mail which it was."""
        password_hash = await self._passwords.hash(password)
        async with self._database.system() as session:
            await lock_first_account(session)
            known = await find_user(session, email)
            if known is not None:
                await self._recovery.send_known_notice(session, known)
                return
            first = state.needs_first_account and not await any_user(session)
            user = await add_user(session, email, name, password_hash, is_admin=first)
            if invitation_token is not None:
                await accept_invitation(session, user.id, invitation_token)
            await self._recovery.send_verification(session, user)

    def _check_setup_token(self, state: RegistrationState, given: str | None) -> None:
        if state.setup_token_required and not same_text((given or "").strip().upper(), self.setup_token):
            log.warning("setup_token_required", setup_token=self.setup_token)  # for whoever runs the server
            raise ForbiddenError(
                "The first account becomes the administrator and needs the setup token that the server's log prints.",
                code="setup_token_required",
                field="setup_token",
            )
