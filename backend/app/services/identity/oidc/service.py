"""The way to the provider and back: what begins it, where it lands, and the second factor in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.clock import utcnow
from app.core.config import Settings
from app.core.errors import ConfigurationError, ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.logging import get_logger
from app.core.passwords import Passwords
from app.core.security import hash_token, same_text
from app.db.session import Database, SystemSession
from app.models.credentials import UsedState
from app.models.users import User
from app.services.identity.oidc.errors import Refusal, SignInRefusedError
from app.services.identity.oidc.flow import FACTOR_SECONDS, FlowCookie, Round, Waiting, new_round
from app.services.identity.oidc.id_token import ProviderUser, read_id_token
from app.services.identity.oidc.identities import (
    LinkedIdentity,
    find_or_make,
    link,
    list_identities,
    remove_identity,
)
from app.services.identity.oidc.provider import Provider, is_safe_address
from app.services.identity.outbox import enqueue_mail
from app.services.identity.second_factor import SecondFactor, wrong_code
from app.services.identity.sessions import Device, Principal, Sessions, SignIn
from app.services.identity.throttle import Throttle
from app.services.identity.users import lock_user

log = get_logger(__name__)

CALLBACK_PATH = "/api/auth/oidc/callback"


class Place(StrEnum):
    """The page that a round ends on."""

    LOGIN = "login"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Landing:
    """Where the browser comes down. `result`: done, totp, linked, or a `Refusal`; `cookie` carries on what is to come."""

    place: Place
    result: str
    next: str = "/"
    sign_in: SignIn | None = None
    cookie: str | None = None


class ProviderSignIn:
    """Off where no issuer is configured: then everything raises `NotFoundError`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        throttle: Throttle,
        factor: SecondFactor,
        *,
        secret: bytes,
        wake_mail: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = throttle
        self._factor = factor
        self._cookies = FlowCookie(secret)
        self._wake_mail = wake_mail
        self._provider = Provider(settings.oidc) if settings.oidc.oidc_issuer else None
        self._redirect_uri = settings.page_url + CALLBACK_PATH  # never what a request's Host says

    @property
    def name(self) -> str | None:
        """What the button says; None where there is none."""
        oidc = self._settings.oidc
        return (oidc.oidc_name or urlsplit(oidc.oidc_issuer).hostname) if self._provider else None

    async def begin(self, next_path: str | None) -> tuple[str, str]:
        """The provider's page and the browser's cookie. Raises `SignInRefusedError`, `NotFoundError`."""
        return await self._begin(new_round(next_path or "/"), fresh=False)

    async def begin_link(self, principal: Principal, password: str) -> tuple[str, str]:
        """The same, to link the account that is signed in. Raises `ForbiddenError` (wrong_password) as well."""
        self._on()
        async with self._database.system(read_only=True) as session:
            user = await session.get_one(User, principal.user_id)
        fits, _ = await self._passwords.verify(password, user.password_hash or None)
        if not fits:
            raise ForbiddenError("The password is wrong.", code="wrong_password", field="password")
        round_ = new_round(
            "/settings/security", user_id=str(principal.user_id), session_id=str(principal.session_id)
        )
        return await self._begin(round_, fresh=True)

    async def finish(self, query: Mapping[str, str], cookie: str | None, device: Device) -> Landing:
        """What the provider sent back by the browser. Never raises for what somebody may have tampered with."""
        provider, place = self._on(), Place.LOGIN
        try:
            round_ = self._cookies.round(cookie)
            place = Place.LOGIN if round_.user_id is None else Place.SECURITY
            person = await self._person(provider, query, round_)
            return await self._land(round_, person, device)
        except SignInRefusedError as error:
            log.warning("oidc_refused", reason=str(error.reason), detail=error.detail)
            return Landing(place, error.reason)

    async def prove(self, cookie: str | None, code: str, device: Device) -> SignIn:
        """The second factor after the provider. Raises `UnauthenticatedError` (totp_invalid, oidc_expired)."""
        self._on()
        try:
            waiting = self._cookies.waiting(cookie)
        except SignInRefusedError as error:
            raise UnauthenticatedError(
                "This took too long. Start again at the sign-in page.", code="oidc_expired"
            ) from error
        user_id = UUID(waiting.user_id)
        async with self._database.system(read_only=True) as session:
            user = await session.get(User, user_id)
        email = user.email if user is not None else ""
        await self._throttle.check(email, device.address)
        async with self._database.system() as session:
            locked = await lock_user(session, user_id)
            good = locked is not None and locked.is_active and await self._factor.take(session, locked, code)
            if good and locked is not None:
                await self._throttle.passed(session, locked.email, device.address)
                return await self._sessions.open(session, locked, device)
        await self._throttle.failed(email, device.address)
        raise wrong_code(UnauthenticatedError)

    async def identities(self, principal: Principal) -> list[LinkedIdentity]:
        """Newest first; also where the provider is switched off by now."""
        async with self._database.system(read_only=True) as session:
            return await list_identities(session, principal.user_id)

    async def remove(self, principal: Principal, identity_id: str) -> None:
        """Raises `NotFoundError`, and `InvalidStateError` for the last way to sign in."""
        async with self._database.system() as session:
            user = await remove_identity(session, principal.user_id, identity_id)
            self._tell(session, user, "removed from")

    async def purge(self) -> int:
        """Forgets states that are too old to come back. Answers how many; for the sweeper."""
        async with self._database.system() as session:
            gone = await session.execute(
                sa.delete(UsedState).where(UsedState.expires_at < utcnow()).returning(UsedState.state_hash)
            )
            return len(gone.all())

    async def _begin(self, round_: Round, *, fresh: bool) -> tuple[str, str]:
        url = await self._on().authorization_url(
            redirect_uri=self._redirect_uri,
            state=round_.state,
            nonce=round_.nonce,
            verifier=round_.verifier,
            fresh=fresh,
        )
        return url, self._cookies.seal(round_)

    async def _person(self, provider: Provider, query: Mapping[str, str], round_: Round) -> ProviderUser:
        """Who came back; the state is compared and used up before anything is believed or asked."""
        if not same_text(query.get("state", ""), round_.state):
            raise SignInRefusedError(Refusal.FLOW_LOST, "another state")
        await self._use_up(round_)
        issuer = query.get("iss")  # RFC 9207: who answers, where several providers could
        if issuer is not None and issuer != provider.issuer:
            raise SignInRefusedError(Refusal.FLOW_LOST, "another issuer")
        if "error" in query:
            cancelled = query["error"] == "access_denied"
            raise SignInRefusedError(
                Refusal.CANCELLED if cancelled else Refusal.PROVIDER_REFUSED, query["error"][:100]
            )
        metadata = await provider.metadata()
        if issuer is None and metadata.get("authorization_response_iss_parameter_supported") is True:
            raise SignInRefusedError(Refusal.FLOW_LOST, "no issuer")
        if not query.get("code"):
            raise SignInRefusedError(Refusal.PROVIDER_REFUSED, "no code")
        tokens = await provider.exchange(
            query["code"], redirect_uri=self._redirect_uri, verifier=round_.verifier
        )
        return await read_id_token(provider, tokens, nonce=round_.nonce)

    async def _use_up(self, round_: Round) -> None:
        """Of many requests with one state exactly one counts: its row is the table's key."""
        row = UsedState(
            state_hash=hash_token(round_.state), expires_at=datetime.fromtimestamp(round_.expires_at, UTC)
        )
        try:
            async with self._database.system() as session:
                session.add(row)
                await session.flush()
        except IntegrityError as error:
            raise SignInRefusedError(Refusal.FLOW_LOST, "a state for the second time") from error

    async def _land(self, round_: Round, person: ProviderUser, device: Device) -> Landing:
        async with self._database.system() as session:
            if round_.user_id is not None:
                await self._link(session, round_, person)
                return Landing(Place.SECURITY, "linked")
            user, linked = await find_or_make(session, self._settings.oidc, person)
            if person.email == user.email:
                user.email_verified_at = user.email_verified_at or utcnow()
            if self._settings.identity.email_verification and user.email_verified_at is None:
                raise SignInRefusedError(Refusal.EMAIL_UNVERIFIED)
            if linked and user.password_hash:
                self._tell(session, user, "linked to")
            if user.totp_enabled_at is not None:
                waiting = Waiting(str(user.id), round_.next, utcnow().timestamp() + FACTOR_SECONDS)
                return Landing(Place.LOGIN, "totp", round_.next, cookie=self._cookies.seal(waiting))
            sign_in = await self._sessions.open(session, user, device)
            return Landing(Place.LOGIN, "done", round_.next, sign_in=sign_in)

    async def _link(self, session: SystemSession, round_: Round, person: ProviderUser) -> None:
        """For the account that began it, as long as it is still signed in where it did."""
        assert round_.user_id is not None
        assert round_.session_id is not None
        user_id, session_id = UUID(round_.user_id), UUID(round_.session_id)
        if not await self._sessions.is_open(session, session_id, user_id):
            raise SignInRefusedError(Refusal.SIGNED_OUT)
        user = await link(session, self._settings.oidc, user_id, person)
        self._tell(session, user, "linked to")

    def _tell(self, session: SystemSession, user: User, what: str) -> None:
        """The owner learns by mail that there is another way in, or one less."""
        enqueue_mail(
            session,
            to=user.email,
            subject=f"A sign-in was {what} your account",
            body=f"Signing in through {self.name or 'a provider'} was {what} your account.\n\n"
            f"If that was not you, look at {self._settings.page_url}/settings/security and choose a new password: "
            f"{self._settings.page_url}/forgot\n",
        )
        session.after_commit(self._wake_mail)

    def _on(self) -> Provider:
        if self._provider is None:
            raise NotFoundError
        return self._provider


def check_oidc(settings: Settings) -> None:
    """Raises `ConfigurationError` for what can never work."""
    oidc = settings.oidc
    if not oidc.oidc_issuer:
        return
    if not is_safe_address(oidc.oidc_issuer):
        raise ConfigurationError(
            "OIDC_ISSUER must begin with https:// (http:// only for this machine itself)."
        )
    if not oidc.oidc_client_id:
        raise ConfigurationError("OIDC_ISSUER needs OIDC_CLIENT_ID, which the provider gives.")
