"""Row 21, for tokens of a provider: forged, stale, borrowed and replayed ones sign nobody in."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey
from joserfc.jws import serialize_compact

from app.models import ExternalIdentity, Session, User
from app.services.identity.oidc import flow as flow_module
from tests.fixtures.app import MakeApp, RunningApp
from tests.fixtures.identity import register
from tests.fixtures.oidc import SECRET, FakeProvider, rsa_key
from tests.fixtures.oidc_browser import Browser, oidc_settings

Claims = dict[str, Any]


@pytest.fixture
async def app(make_app: MakeApp, openid: FakeProvider) -> RunningApp:
    running = await make_app(**oidc_settings(openid, oidc_create_accounts=True))
    await register(running.client, "admin@example.org")
    return running


async def traces(app: RunningApp) -> tuple[int, int, int]:
    """Accounts, identities and sessions: what a refused sign-in must not add to."""
    async with app.container.database.system(read_only=True) as session:
        counts = [
            int(await session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
            for table in (User, ExternalIdentity, Session)
        ]
    return counts[0], counts[1], counts[2]


def without(*names: str) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


def with_(**values: Any) -> Callable[[Claims], Claims]:
    return lambda claims: claims | values


ALTERED: dict[str, Callable[[Claims], Claims]] = {
    "another audience": with_(aud="another-client"),
    "several audiences, made for another": lambda c: c | {"aud": [c["aud"], "other"], "azp": "other"},
    "several audiences, made for nobody": lambda c: c | {"aud": [c["aud"], "other"]},
    "no audience": without("aud"),
    "an empty audience": with_(aud=[]),
    "another issuer": with_(iss="https://evil.example"),
    "an issuer with a slash more": lambda c: c | {"iss": c["iss"] + "/"},
    "no issuer": without("iss"),
    "another nonce": with_(nonce="x" * 43),
    "no nonce": without("nonce"),
    "an empty nonce": with_(nonce=""),
    "expired": lambda c: c | {"iat": c["iat"] - 900, "exp": c["iat"] - 600},
    "no end": without("exp"),
    "an end that is no number": with_(exp="never"),
    "an end that is true": with_(exp=True),
    "an end that is not a number": with_(exp=float("nan")),
    "no beginning": without("iat"),
    "of the future": lambda c: c | {"iat": c["iat"] + 3600, "exp": c["exp"] + 3600},
    "not yet": lambda c: c | {"nbf": c["iat"] + 3600},
    "no subject": without("sub"),
    "an empty subject": with_(sub=""),
    "a subject that is a list": with_(sub=["subject-1"]),
    "a subject of control characters": with_(sub="a\x00b"),
    "a very long subject": with_(sub="x" * 256),
    "another access token": with_(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("name", ALTERED)
async def test_row_21_a_token_with_a_wrong_claim_signs_nobody_in(
    app: RunningApp, openid: FakeProvider, name: str
) -> None:
    openid.alter = ALTERED[name]
    before = await traces(app)
    landed = await Browser(app).sign_in()
    assert (landed.page, landed.result, landed.refresh_token) == ("/login", "token_invalid", None)
    assert await traces(app) == before


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _without_signature(claims: Claims, alg: str = "none") -> str:
    return f"{_part({'alg': alg, 'typ': 'JWT'})}.{_part(claims)}."


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hmac(claims: Claims, secret: bytes, kid: str) -> str:
    """By hand: the library itself refuses to make such a one."""
    text = f"{_part({'alg': 'HS256', 'kid': kid})}.{_part(claims)}"
    return f"{text}.{_b64(hmac.digest(secret, text.encode(), 'sha256'))}"


def _by_hand(claims: Claims, key: RSAKey, **header: Any) -> str:
    """A good signature under any header."""
    text = f"{_part({'alg': 'RS256'} | header)}.{_part(claims)}"
    return f"{text}.{_b64(key.private_key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _public_pem(provider: FakeProvider) -> bytes:
    return provider.key.as_pem(private=False)


def _foreign(claims: Claims, **header: Any) -> str:
    """Signed by somebody else's key."""
    return _by_hand(claims, rsa_key("thief"), **header)


def _tampered(claims: Claims, provider: FakeProvider) -> str:
    header, _, signature = provider.sign(claims).split(".")
    return f"{header}.{_part(claims | {'sub': 'somebody-else'})}.{signature}"


FORGED: dict[str, Callable[[Claims, FakeProvider], str]] = {
    "alg none": lambda c, _p: _without_signature(c),
    "alg None": lambda c, _p: _without_signature(c, "None"),
    "alg none with a dot less": lambda c, _p: _without_signature(c)[:-1],
    "HS256 with the public key": lambda c, p: _hmac(c, _public_pem(p), str(p.key.kid)),
    "HS256 with the modulus": lambda c, p: _hmac(c, str(p.key.as_dict()["n"]).encode(), str(p.key.kid)),
    "HS256 with the client's secret": lambda c, p: _hmac(c, SECRET.encode(), str(p.key.kid)),
    "an unknown key": lambda c, _p: _foreign(c, kid="thief"),
    "a foreign key by the right name": lambda c, p: _foreign(c, kid=p.key.kid),
    "a foreign key without a name": lambda c, _p: _foreign(c),
    "a key in its own header": lambda c, p: _foreign(
        c, kid=p.key.kid, jwk=rsa_key("thief").as_dict(private=False)
    ),
    "a key at an address of its own": lambda c, p: _by_hand(
        c, p.key, kid=p.key.kid, jku="https://evil.example/jwks"
    ),
    "a critical field": lambda c, p: _by_hand(c, p.key, kid=p.key.kid, crit=["x"], x=1),
    "another algorithm in the header": lambda c, p: _by_hand(c, p.key, kid=p.key.kid, alg="PS256"),
    "altered after signing": _tampered,
    "no signature": lambda c, p: p.sign(c).rpartition(".")[0] + ".",
    "no token at all": lambda _c, _p: "",
    "five parts": lambda c, p: p.sign(c) + ".a.b",
    "not base64": lambda _c, _p: "a!.b!.c!",
    "a list for claims": lambda _c, p: jwt_of_list(p),
    "a kid that is a path": lambda c, p: _by_hand(c, p.key, kid="../../etc/passwd"),
}


def jwt_of_list(provider: FakeProvider) -> str:
    return serialize_compact({"alg": "RS256", "kid": provider.key.kid}, b'["sub"]', provider.key)


@pytest.mark.parametrize("name", FORGED)
async def test_row_21_a_forged_token_signs_nobody_in(
    app: RunningApp, openid: FakeProvider, name: str
) -> None:
    forge = FORGED[name]
    openid.forge = lambda claims: forge(claims, openid)
    before = await traces(app)
    landed = await Browser(app).sign_in()
    assert (landed.result, landed.refresh_token) == ("token_invalid", None)
    assert await traces(app) == before


async def test_a_token_with_nothing_wrong_signs_in(app: RunningApp, openid: FakeProvider) -> None:
    """The same way as the forged ones, so that those are refused for what is wrong with them."""
    openid.forge = openid.sign
    assert (await Browser(app).sign_in()).result == "done"
    openid.alter = lambda c: c | {"aud": [c["aud"], "other"], "azp": c["aud"], "x": 1}
    assert (await Browser(app).sign_in()).result == "done"


async def test_a_new_key_of_the_provider_is_fetched(
    app: RunningApp, openid: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await Browser(app).sign_in()).result == "done"
    monkeypatch.setattr("app.services.identity.oidc.provider.KEYS_AGAIN_SECONDS", 0.0)
    openid.key = rsa_key("second")
    assert (await Browser(app).sign_in()).result == "done"
    assert openid.paths.count("/realm/jwks") == 2


async def test_unknown_keys_do_not_make_it_ask_again_and_again(app: RunningApp, openid: FakeProvider) -> None:
    openid.forge = lambda claims: _foreign(claims, kid="thief")
    for _ in range(4):
        assert (await Browser(app).sign_in()).result == "token_invalid"
    assert openid.paths.count("/realm/jwks") == 1


# The way back


def changed(path: str, **values: str | None) -> str:
    parts = urlsplit(path)
    query = {name: found[0] for name, found in parse_qs(parts.query).items()}
    query = {name: value for name, value in {**query, **values}.items() if value is not None}
    return f"{parts.path}?{urlencode(query)}"


@pytest.mark.parametrize(
    "values",
    [{"state": "x" * 43}, {"state": ""}, {"state": None}, {"iss": "https://evil.example"}, {"state": "ü"}],
)
async def test_another_state_or_issuer_is_refused_before_the_provider_is_asked(
    app: RunningApp, openid: FakeProvider, values: dict[str, str | None]
) -> None:
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    landed = await browser.land(changed(back, **values))
    assert (landed.result, landed.refresh_token) == ("flow_lost", None)
    assert "/realm/token" not in openid.paths


async def test_a_provider_that_says_who_it_is_has_to_say_so(make_app: MakeApp, openid: FakeProvider) -> None:
    openid.document = {"authorization_response_iss_parameter_supported": True}
    app = await make_app(**oidc_settings(openid))
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    assert (await browser.land(changed(back, iss=None))).result == "flow_lost"


async def test_a_state_counts_once(app: RunningApp, openid: FakeProvider) -> None:
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    kept = browser.flow
    assert (await browser.land(back)).result == "done"
    assert browser.flow is None
    assert (await browser.land(back)).result == "flow_lost"  # the cookie is gone
    browser.flow = kept  # and it does not help to have kept it
    assert (await browser.land(back)).result == "flow_lost"
    assert openid.paths.count("/realm/token") == 1


async def test_of_many_returns_at_once_one_counts(app: RunningApp, openid: FakeProvider) -> None:
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    flow = browser.flow
    landed = await asyncio.gather(*(Browser(app, flow).land(back) for _ in range(5)))
    assert sorted(one.result for one in landed) == ["done", *["flow_lost"] * 4]
    assert openid.paths.count("/realm/token") == 1


async def test_a_return_in_another_browser_is_worth_nothing(app: RunningApp, openid: FakeProvider) -> None:
    """An attacker's own sign-in, handed to a victim as a link, and two rounds that were mixed up."""
    attacker, victim = Browser(app), Browser(app)
    back = await attacker.approve(await attacker.start())
    assert (await victim.land(back)).result == "flow_lost"
    await victim.start()
    assert (await victim.land(back)).result == "flow_lost"
    assert "/realm/token" not in openid.paths


async def test_a_cookie_of_one_round_with_the_state_of_another(app: RunningApp) -> None:
    first, second = Browser(app), Browser(app)
    back, _ = await first.approve(await first.start()), await second.approve(await second.start())
    first.flow, second.flow = second.flow, first.flow
    assert (await first.land(back)).result == "flow_lost"


async def test_a_code_of_another_round_does_not_fit(app: RunningApp, openid: FakeProvider) -> None:
    """PKCE: the code was made for another verifier, so the provider does not take it."""
    first, second = Browser(app), Browser(app)
    stolen = parse_qs(urlsplit(await first.approve(await first.start())).query)["code"][0]
    back = await second.approve(await second.start())
    landed = await second.land(changed(back, code=stolen))
    assert (landed.result, landed.refresh_token) == ("provider_refused", None)


async def test_a_round_that_took_too_long_is_over(
    app: RunningApp, openid: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_module, "ROUND_SECONDS", -1)
    assert (await Browser(app).sign_in()).result == "flow_lost"
    assert "/realm/token" not in openid.paths


@pytest.mark.parametrize("change", ["flip", "cut", "other server", "plain"])
async def test_a_cookie_that_was_altered_is_none(app: RunningApp, change: str) -> None:
    browser = Browser(app)
    back = await browser.approve(await browser.start())
    value = browser.flow or ""
    state = parse_qs(urlsplit(back).query)["state"][0]
    browser.flow = {
        "flip": value[:30] + ("A" if value[30] != "A" else "B") + value[31:],
        "cut": value[:-8],
        "other server": flow_module.FlowCookie(b"another secret" * 4).seal(flow_module.new_round("/")),
        "plain": base64.urlsafe_b64encode(json.dumps({"state": state, "kind": "round"}).encode()).decode(),
    }[change]
    assert (await browser.land(back)).result == "flow_lost"
