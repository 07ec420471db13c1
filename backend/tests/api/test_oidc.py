"""Signing in through a provider: whose account it becomes, the second factor, linking, and where errors land."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
import sqlalchemy as sa

from app.core.background import Background
from app.core.clock import utcnow
from app.core.errors import ConfigurationError
from app.models import ExternalIdentity, User
from tests.fixtures.app import PASSWORD, MakeApp, RunningApp, build_settings
from tests.fixtures.identity import Person, refresh, register
from tests.fixtures.mails import mails_to, token_in
from tests.fixtures.oidc import FakeProvider
from tests.fixtures.oidc_browser import Browser, Landed, oidc_settings

GRACE = "grace@example.org"


@pytest.fixture(autouse=True)
def mail_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox is read by the tests; nothing takes mails out of it."""
    start = Background.start
    monkeypatch.setattr(Background, "start", lambda self: None if self._name == "send_mail" else start(self))


@pytest.fixture
async def app(make_app: MakeApp, database_url: str, openid: FakeProvider) -> RunningApp:
    """Accounts are made on request; the first one, the administrator's, is there."""
    running = await make_app(database_url=database_url, **oidc_settings(openid, oidc_create_accounts=True))
    await register(running.client, "admin@example.org")
    return running


async def me(app: RunningApp, landed: Landed) -> dict[str, Any]:
    """The account that somebody landed in, by the cookie that they were given."""
    answer = await refresh(app.client, landed.refresh_token)
    assert answer.status_code == 200, answer.text
    user: dict[str, Any] = answer.json()["user"]
    return user


async def change_user(app: RunningApp, email: str, **values: Any) -> None:
    async with app.container.database.system() as session:
        await session.execute(sa.update(User).where(User.email == email).values(**values))


async def identities_of(app: RunningApp, email: str) -> list[str]:
    async with app.container.database.system(read_only=True) as session:
        rows = await session.execute(
            sa.select(ExternalIdentity.subject)
            .join(User, User.id == ExternalIdentity.user_id)
            .where(User.email == email)
        )
        return [*rows.scalars()]


async def test_a_new_person_gets_an_account_and_comes_back_to_it(
    app: RunningApp, openid: FakeProvider
) -> None:
    first = await Browser(app).sign_in("/t/some-job?t=12")
    assert (first.page, first.result, first.next) == ("/login", "done", "/t/some-job?t=12")
    user = await me(app, first)
    assert (user["email"], user["name"]) == (GRACE, "Grace Hopper")
    assert (user["email_verified"], user["has_password"], user["is_admin"]) == (True, False, False)
    assert len(user["workspaces"]) == 1
    openid.person["email"] = "hopper@example.org"  # addresses change, subjects do not
    again = await me(app, await Browser(app).sign_in())
    assert (again["id"], again["email"]) == (user["id"], GRACE)


async def test_the_cookies_are_out_of_reach_of_scripts(app: RunningApp) -> None:
    browser = Browser(app)
    started = await app.client.get("/api/auth/oidc/start")
    app.client.cookies.clear()
    assert started.headers["Cache-Control"] == "no-store"
    flow = started.headers["Set-Cookie"].lower()
    assert "httponly" in flow
    assert "samesite=lax" in flow
    assert "path=/api/auth/oidc" in flow
    landed = await browser.sign_in()
    (cookie,) = [
        c for c in landed.answer.headers.get_list("Set-Cookie") if c.startswith("transcribe_refresh=")
    ]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert browser.flow is None
    assert landed.refresh_token
    assert landed.refresh_token not in landed.answer.headers["Location"]


async def test_a_verified_account_with_the_same_address_is_linked_and_its_owner_told(
    app: RunningApp, openid: FakeProvider
) -> None:
    grace = await register(app.client, GRACE)
    await change_user(app, GRACE, email_verified_at=utcnow())
    landed = await Browser(app).sign_in()
    assert (await me(app, landed))["id"] == grace.id
    assert [mail.subject for mail in await mails_to(app.container.database, GRACE)] == [
        "A sign-in was linked to your account"
    ]
    await Browser(app).sign_in()
    assert len(await mails_to(app.container.database, GRACE)) == 1
    assert await identities_of(app, GRACE) == [openid.person["sub"]]


async def test_an_account_that_nobody_has_verified_is_never_linked_by_its_address(app: RunningApp) -> None:
    await register(app.client, GRACE)  # by whom, nobody knows
    landed = await Browser(app).sign_in()
    assert (landed.page, landed.result, landed.refresh_token) == ("/login", "not_linked", None)
    assert await identities_of(app, GRACE) == []


async def test_an_invitation_that_was_shown_gives_nobody_another_ones_address(
    app: RunningApp, openid: FakeProvider
) -> None:
    """Who invites an address and registers it has read no mail to it; its owner's sign-in must not join them."""
    thief = await register(app.client, "thief@example.org")
    path = f"/api/workspaces/{thief.workspace_id}/invitations"
    made = await app.client.post(path, json={"email": GRACE}, headers=thief.bearer)
    taken = await register(app.client, GRACE)
    token = made.json()["url"].rpartition("/")[2]
    joined = await app.client.post("/api/invitations/accept", json={"token": token}, headers=taken.bearer)
    assert joined.status_code == 200, joined.text
    seen = await app.client.get("/api/auth/me", headers=taken.bearer)
    assert seen.json()["email_verified"] is False
    assert (await Browser(app).sign_in()).result == "not_linked"
    assert await identities_of(app, GRACE) == []


@pytest.mark.parametrize("verified", [False, None, "true", 1])
async def test_an_address_that_the_provider_has_not_verified_is_worth_nothing(
    app: RunningApp, openid: FakeProvider, verified: object
) -> None:
    grace = await register(app.client, GRACE)
    await change_user(app, GRACE, email_verified_at=utcnow())
    openid.person["email_verified"] = verified
    landed = await Browser(app).sign_in()
    assert (landed.result, landed.refresh_token) == ("email_unverified", None)
    assert await identities_of(app, GRACE) == []
    assert grace.id


async def test_accounts_are_made_only_where_the_operator_says_so(
    make_app: MakeApp, openid: FakeProvider
) -> None:
    app = await make_app(**oidc_settings(openid))
    await register(app.client, "admin@example.org")
    landed = await Browser(app).sign_in()
    assert (landed.result, landed.refresh_token) == ("no_account", None)


async def test_the_first_account_is_not_made_by_the_provider(make_app: MakeApp, openid: FakeProvider) -> None:
    app = await make_app(**oidc_settings(openid, oidc_create_accounts=True))
    assert (await Browser(app).sign_in()).result == "first_account"


async def test_closed_registration_does_not_close_the_provider(
    make_app: MakeApp, openid: FakeProvider
) -> None:
    app = await make_app(**oidc_settings(openid, oidc_create_accounts=True, allow_registration=False))
    await app.container.identity.create_admin(email="admin@example.org", password=PASSWORD)
    assert (await Browser(app).sign_in()).result == "done"


async def test_only_the_domains_of_the_operator_come_in(make_app: MakeApp, openid: FakeProvider) -> None:
    app = await make_app(
        **oidc_settings(openid, oidc_create_accounts=True, oidc_email_domains=("example.org", "@Example.net"))
    )
    await register(app.client, "admin@example.org")
    assert (await Browser(app).sign_in()).result == "done"
    for email in ("eve@evil.org", "eve@sub.example.org", "eve@notexample.org", "example.org@evil.org"):
        openid.person |= {"sub": email, "email": email}
        assert (await Browser(app).sign_in()).result == "domain_not_allowed"
    openid.person |= {"sub": "subject-1", "email": "grace@evil.org"}  # known, but no longer one of theirs
    assert (await Browser(app).sign_in()).result == "domain_not_allowed"
    openid.person |= {"sub": "subject-2", "email": "ann@EXAMPLE.NET"}
    assert (await Browser(app).sign_in()).result == "done"


async def test_a_disabled_account_stays_out(app: RunningApp) -> None:
    await Browser(app).sign_in()
    await change_user(app, GRACE, is_active=False)
    landed = await Browser(app).sign_in()
    assert (landed.result, landed.refresh_token) == ("account_disabled", None)


async def with_factor(app: RunningApp) -> tuple[Person, pyotp.TOTP]:
    """Grace with a password, a verified address and a second factor; one code is used up."""
    grace = await register(app.client, GRACE)
    await change_user(app, GRACE, email_verified_at=utcnow())
    answer = await app.client.post("/api/auth/totp/setup", json={"password": PASSWORD}, headers=grace.bearer)
    totp = pyotp.TOTP(answer.json()["secret"])
    enabled = await app.client.post("/api/auth/totp/enable", json={"code": totp.now()}, headers=grace.bearer)
    assert enabled.status_code == 200, enabled.text
    backup = enabled.json()["backup_codes"]
    return Person({**grace.body, "backup": backup}, grace.refresh_token), totp


async def test_the_second_factor_is_still_asked_for(app: RunningApp) -> None:
    grace, _ = await with_factor(app)
    browser = Browser(app)
    landed = await browser.sign_in("/jobs")
    assert (landed.page, landed.result, landed.next) == ("/login", "totp", "/jobs")
    assert landed.refresh_token is None
    assert browser.flow is not None
    wrong = await browser.post("/api/auth/oidc/factor", code="000000")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "totp_invalid")
    code = grace.body["backup"][0]
    foreign = await browser.post("/api/auth/oidc/factor", headers={"Origin": "https://evil.org"}, code=code)
    assert foreign.status_code == 403
    waiting = browser.flow
    right = await browser.post("/api/auth/oidc/factor", code=code)
    assert right.status_code == 200, right.text
    assert right.json()["user"]["id"] == grace.id
    assert browser.flow is None
    browser.flow = waiting
    again = await browser.post("/api/auth/oidc/factor", code=code)
    assert (again.status_code, again.json()["error"]["code"]) == (401, "totp_invalid")


async def test_guesses_of_the_second_factor_are_slowed_down(make_app: MakeApp, openid: FakeProvider) -> None:
    app = await make_app(**oidc_settings(openid, lockout_failures=3))
    await with_factor(app)
    browser = Browser(app)
    await browser.sign_in()
    answers = [(await browser.post("/api/auth/oidc/factor", code="000000")).status_code for _ in range(5)]
    assert answers[:3] == [401, 401, 401]
    assert 429 in answers[3:]


@pytest.mark.parametrize("cookie", [None, "", "x" * 40, "round"])
async def test_no_cookie_but_that_of_the_provider_stands_for_it(app: RunningApp, cookie: str | None) -> None:
    """A round that has not come back from the provider proves nothing of anybody."""
    grace, _ = await with_factor(app)
    browser = Browser(app)
    await browser.start()
    if cookie != "round":
        browser.flow = cookie
    answer = await browser.post("/api/auth/oidc/factor", code=grace.body["backup"][0])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "oidc_expired")


async def begin_link(browser: Browser, person: Person, password: str = PASSWORD) -> httpx2.Response:
    return await browser.post("/api/auth/oidc/link", headers=person.bearer, password=password)


async def test_an_account_is_linked_by_its_owner_and_unlinked_again(
    app: RunningApp, openid: FakeProvider
) -> None:
    ada = await register(app.client, "ada@example.org")
    browser = Browser(app)
    wrong = await begin_link(browser, ada, "not the password")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (403, "wrong_password")
    begun = await begin_link(browser, ada)
    assert "prompt=select_account" in begun.json()["url"]
    landed = await browser.land(await browser.approve(begun.json()["url"]))
    assert (landed.page, landed.result, landed.refresh_token) == ("/settings/security", "linked", None)
    assert (await me(app, await Browser(app).sign_in()))["id"] == ada.id
    listed = (await app.client.get("/api/auth/oidc/identities", headers=ada.bearer)).json()["items"]
    assert [(one["issuer"], one["email"]) for one in listed] == [(openid.url, GRACE)]
    path = f"/api/auth/oidc/identities/{listed[0]['id']}"
    other = await register(app.client, "eve@example.org")
    assert (await app.client.delete(path, headers=other.bearer)).status_code == 404
    assert (await app.client.delete(path, headers=ada.bearer)).status_code == 204
    assert (await app.client.delete(path, headers=ada.bearer)).status_code == 404
    subjects = [mail.subject for mail in await mails_to(app.container.database, "ada@example.org")]
    assert subjects == ["A sign-in was linked to your account", "A sign-in was removed from your account"]
    exported = (await app.client.get("/api/auth/export", headers=ada.bearer)).json()
    assert exported["linked_sign_ins"] == []


async def test_linking_verifies_an_address_that_is_the_same(app: RunningApp) -> None:
    grace = await register(app.client, GRACE)
    browser = Browser(app)
    await browser.land(await browser.approve((await begin_link(browser, grace)).json()["url"]))
    answer = await app.client.get("/api/auth/me", headers=grace.bearer)
    assert answer.json()["email_verified"] is True


async def test_nobody_links_what_belongs_to_another_account_or_a_second_one(
    app: RunningApp, openid: FakeProvider
) -> None:
    await Browser(app).sign_in()
    ada = await register(app.client, "ada@example.org")

    async def link() -> str:
        browser = Browser(app)
        return (
            await browser.land(await browser.approve((await begin_link(browser, ada)).json()["url"]))
        ).result

    assert await link() == "identity_taken"
    openid.person["sub"] = "subject-2"
    assert await link() == "linked"
    assert await link() == "linked"  # the same once more
    openid.person["sub"] = "subject-3"
    assert await link() == "already_linked"
    assert await identities_of(app, "ada@example.org") == ["subject-2"]


async def test_a_link_ends_with_the_session_that_began_it(app: RunningApp) -> None:
    ada = await register(app.client, "ada@example.org")
    browser = Browser(app)
    back = await browser.approve((await begin_link(browser, ada)).json()["url"])
    await app.client.post("/api/auth/logout", headers=ada.bearer)
    landed = await browser.land(back)
    assert (landed.page, landed.result) == ("/settings/security", "signed_out")
    assert await identities_of(app, "ada@example.org") == []


async def test_the_only_way_in_is_not_removed(app: RunningApp) -> None:
    landed = await Browser(app).sign_in()
    answer = await refresh(app.client, landed.refresh_token)
    grace = Person(answer.json(), None)
    (one,) = (await app.client.get("/api/auth/oidc/identities", headers=grace.bearer)).json()["items"]
    refused = await app.client.delete(f"/api/auth/oidc/identities/{one['id']}", headers=grace.bearer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_state")
    assert await identities_of(app, GRACE) == ["subject-1"]


async def test_row_26_who_had_linked_an_account_before_its_owner_came_is_put_out(
    app: RunningApp, openid: FakeProvider
) -> None:
    """Somebody registers another's address and links a provider; then the owner resets the password."""
    thief = await register(app.client, GRACE)
    openid.person |= {"sub": "thief", "email": "thief@example.org"}
    browser = Browser(app)
    await browser.land(await browser.approve((await begin_link(browser, thief)).json()["url"]))
    assert await identities_of(app, GRACE) == ["thief"]
    await app.client.post("/api/auth/password/forgot", json={"email": GRACE})
    token = token_in((await mails_to(app.container.database, GRACE))[-1])
    done = await app.client.post(
        "/api/auth/password/reset", json={"token": token, "new_password": "another long sentence 4 you"}
    )
    assert done.status_code == 204, done.text
    assert await identities_of(app, GRACE) == []
    assert UUID((await me(app, await Browser(app).sign_in()))["id"]) != UUID(thief.id)


async def test_who_cancels_at_the_provider_is_told(app: RunningApp, openid: FakeProvider) -> None:
    openid.cancel = True
    landed = await Browser(app).sign_in()
    assert (landed.page, landed.result) == ("/login", "cancelled")
    assert "/realm/token" not in openid.paths


async def test_a_provider_that_is_away_is_told_and_tried_again(app: RunningApp, openid: FakeProvider) -> None:
    openid.status = 503
    started = await app.client.get("/api/auth/oidc/start")
    assert (started.status_code, Landed(started).page, Landed(started).result) == (
        303,
        "/login",
        "provider_unavailable",
    )
    openid.status = 200
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    openid.status = 500
    assert (await browser.land(back)).result == "provider_unavailable"
    openid.status = 200
    assert (await Browser(app).sign_in()).result == "done"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
async def test_a_document_that_names_another_issuer_or_an_open_line_is_refused(
    make_app: MakeApp, openid: FakeProvider, document: dict[str, Any]
) -> None:
    openid.document = document
    app = await make_app(**oidc_settings(openid))
    assert Landed(await app.client.get("/api/auth/oidc/start")).result == "provider_unavailable"


async def test_document_and_keys_are_kept(app: RunningApp, openid: FakeProvider) -> None:
    for _ in range(3):
        assert (await Browser(app).sign_in()).result == "done"
    assert openid.paths.count("/realm/.well-known/openid-configuration") == 1
    assert openid.paths.count("/realm/jwks") == 1


async def test_a_secret_in_the_form_where_the_provider_wants_it_there(
    make_app: MakeApp, openid: FakeProvider
) -> None:
    openid.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    app = await make_app(**oidc_settings(openid, oidc_create_accounts=True))
    await register(app.client, "admin@example.org")
    assert (await Browser(app).sign_in()).result == "done"


@pytest.mark.parametrize(
    "path", ["//evil.org", "https://evil.org", "/\\evil.org", "evil", "/a\nb", "/" + "x" * 2000]
)
async def test_nobody_ends_elsewhere(app: RunningApp, path: str) -> None:
    assert (await Browser(app).sign_in(path)).next == "/"


async def test_where_the_provider_is_said_to_be(app: RunningApp) -> None:
    assert (await app.client.get("/api/options")).json()["oidc"] == {"name": "Example"}


async def test_without_a_provider_there_is_nothing(make_app: MakeApp) -> None:
    plain = await make_app(transcription_backend="stub")
    assert (await plain.client.get("/api/options")).json()["oidc"] is None
    for path in ("start", "callback?code=x&state=y"):
        assert (await plain.client.get(f"/api/auth/oidc/{path}")).status_code == 404
    factor = await plain.client.post("/api/auth/oidc/factor", json={"code": "000000"})
    assert factor.status_code == 404


def test_settings_that_cannot_work_are_refused(tmp_path: Any) -> None:
    from app.factory import check_settings

    for changes in (
        {"oidc_issuer": "http://login.example.org", "oidc_client_id": "x"},
        {"oidc_issuer": "login.example.org", "oidc_client_id": "x"},
        {"oidc_issuer": "https://login.example.org"},
    ):
        with pytest.raises(ConfigurationError, match="OIDC_"):
            check_settings(build_settings(tmp_path, **changes))
