"""Threat row 21: forged access tokens are refused, each with the same body."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from jose import jwk, jwt

from app.core.security import derive_key
from tests.fixtures.app import MakeApp
from tests.fixtures.identity import register

SECRET = "a secret of this test only, 0123456789 ABCDEF"
KEY = derive_key(SECRET.encode(), "access-token", 64)

Claims = dict[str, Any]
Headers = dict[str, Any]


def encode(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(claims: object, headers: object, key: bytes = KEY, algorithm: str = "HS256") -> str:
    """By hand, so that nothing is put right on the way."""
    signing_input = f"{encode(claims)}" if headers is None else f"{encode(headers)}.{encode(claims)}"
    return f"{signing_input}.{encode(jwk.construct(key, algorithm).sign(signing_input.encode()))}"


def with_claims(**changes: Any) -> Callable[[Claims, Headers, str], str]:
    return lambda claims, headers, _: sign(claims | changes, headers)


def without_claim(name: str) -> Callable[[Claims, Headers, str], str]:
    return lambda claims, headers, _: sign({k: v for k, v in claims.items() if k != name}, headers)


def with_headers(**changes: Any) -> Callable[[Claims, Headers, str], str]:
    return lambda claims, headers, _: sign(claims, headers | changes)


def without_header(name: str) -> Callable[[Claims, Headers, str], str]:
    return lambda claims, headers, _: sign(claims, {k: v for k, v in headers.items() if k != name})


def altered(token: str, position: int) -> str:
    """One character is another one, also where base64 has bits to spare."""
    other = "A" if token[position] != "A" else "B"
    return token[:position] + other + token[position + 1 :]


def last_bits(token: str) -> str:
    """The same signature bytes, spelt otherwise: 43 characters hold two bits more than 32 bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


now = int(time.time())

FORGED: dict[str, Callable[[Claims, Headers, str], str]] = {
    "alg none": lambda claims, headers, _: f"{encode(headers | {'alg': 'none'})}.{encode(claims)}.",
    "alg None, old signature": lambda claims, headers, token: ".".join(
        [encode(headers | {"alg": "None"}), *token.split(".")[1:]]
    ),
    "alg HS512 with our key": lambda claims, headers, _: sign(
        claims, headers | {"alg": "HS512"}, KEY, "HS512"
    ),
    "alg RS256 over an HMAC": with_headers(alg="RS256"),
    "alg a list": with_headers(alg=["HS256"]),
    "no alg": without_header("alg"),
    "another key": lambda claims, headers, _: sign(claims, headers, b"another key of a good length, 1234"),
    "empty key": lambda claims, headers, _: sign(claims, headers, b""),
    "the secret itself as key": lambda claims, headers, _: sign(claims, headers, SECRET.encode()),
    "the kid as key": lambda claims, headers, _: sign(claims, headers, headers["kid"].encode()),
    "kid unknown": with_headers(kid="0000000000000000"),
    "kid a path": with_headers(kid="../../../../dev/null"),
    "kid a statement": with_headers(kid="' OR 1=1 --"),
    "kid a list": with_headers(kid=["a"]),
    "no kid": without_header("kid"),
    "crit": with_headers(crit=["exp"]),
    "crit unknown": with_headers(crit=["https://example.org/x"], **{"https://example.org/x": True}),
    "own key in the header": with_headers(jwk={"kty": "oct", "k": encode(KEY)}),
    "key by address": with_headers(jku="https://example.org/keys.json"),
    "b64 false": with_headers(b64=False),
    "typ JWT": with_headers(typ="JWT"),
    "typ refresh": with_headers(typ="rt+jwt"),
    "no typ": without_header("typ"),
    "header not an object": lambda claims, headers, _: sign(claims, ["HS256"]),
    "header not JSON": lambda claims, headers, _: sign(claims, b"{"),
    "no header at all": lambda claims, headers, _: sign(claims, None),
    "claims not an object": lambda claims, headers, _: sign([1], headers),
    "claims not UTF-8": lambda claims, headers, _: sign(b"\xff\xfe", headers),
    "claims nested deeply": lambda claims, headers, _: sign(b"[" * 700, headers),
    "expired": with_claims(iat=now - 700, exp=now - 100),
    "exp far away": with_claims(exp=now + 10**9),
    "exp not a number": with_claims(exp="tomorrow"),
    "exp text": with_claims(exp=str(now + 300)),
    "exp infinite": with_claims(exp=float("inf")),
    "exp true": with_claims(exp=True),
    "exp null": with_claims(exp=None),
    "issued in the future": with_claims(iat=now + 10**6, exp=now + 10**6 + 300),  # however long the run takes
    "not yet valid": with_claims(nbf=now + 300),
    "aud another": with_claims(aud="another-api"),
    "aud a list": with_claims(aud=["transcribe-api", "another-api"]),
    "iss another": with_claims(iss="https://example.org"),
    "sub another user": with_claims(sub=str(uuid4())),
    "sub not an id": with_claims(sub="admin"),
    "sub a number": with_claims(sub=1),
    "sid unknown": with_claims(sid=str(uuid4())),
    "sid not an id": with_claims(sid="' OR 1=1 --"),
    "sid null": with_claims(sid=None),
    "a claim that is not ours": with_claims(scope="admin"),
    **{f"no {name}": without_claim(name) for name in ("exp", "iat", "sub", "aud", "iss", "jti", "sid")},
    "signature cut off": lambda claims, headers, token: token.rpartition(".")[0] + ".",
    "signature altered": lambda claims, headers, token: altered(token, -20),
    "signature spelt otherwise": lambda claims, headers, token: last_bits(token),
    "claims altered": lambda claims, headers, token: altered(token, token.index(".") + 20),
    "two parts": lambda claims, headers, token: token.rpartition(".")[0],
    "four parts": lambda claims, headers, token: f"{token}.{token.rpartition('.')[2]}",
    "padded": lambda claims, headers, token: f"{token}=",
    "trailing rubbish": lambda claims, headers, token: f"{token}!!!!",
    "an encrypted token": lambda claims, headers, token: (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA"
    ),
    "not a token": lambda claims, headers, token: "undefined",
    "very long": lambda claims, headers, token: token + "A" * 10_000,
}


async def test_row_21_forged_tokens_are_refused_alike(make_app: MakeApp) -> None:
    running = await make_app(jwt_secret_key=SECRET)
    person = await register(running.client)
    token = person.body["access_token"]
    claims, headers = jwt.get_unverified_claims(token), jwt.get_unverified_header(token)

    async def ask(bearer: str) -> tuple[int, Any, str | None]:
        answer = await running.client.get("/api/auth/me", headers={"Authorization": f"Bearer {bearer}"})
        body = answer.json()
        body.get("error", {}).pop("request_id", None)
        return answer.status_code, body, answer.headers.get("www-authenticate")

    # The tools of this test make a good token, so what is refused below is refused for its one fault.
    assert (await ask(sign(claims, headers)))[0] == 200
    nothing = await ask("")
    assert nothing[0] == 401
    answers = {name: await ask(forge(claims, headers, token)) for name, forge in FORGED.items()}
    assert {name for name, answer in answers.items() if answer != nothing} == set()
    assert (await ask(token))[0] == 200


async def test_row_21_what_else_we_hand_out_is_no_access_token(make_app: MakeApp) -> None:
    running = await make_app()
    person = await register(running.client)
    ticket = (await running.client.post("/api/auth/ticket", headers=person.bearer)).json()["ticket"]

    for bearer in (person.refresh_token, ticket, running.container.identity.registration.setup_token):
        answer = await running.client.get("/api/auth/me", headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code == 401


async def test_row_27_a_token_in_the_address_opens_nothing(make_app: MakeApp) -> None:
    """Threat row 27: bearer tokens travel in the header only."""
    running = await make_app()
    token = (await register(running.client)).body["access_token"]
    for name in ("token", "access_token", "api_key"):
        assert (await running.client.get("/api/auth/me", params={name: token})).status_code == 401


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_each_algorithm_of_the_settings_works(make_app: MakeApp, algorithm: str) -> None:
    running = await make_app(jwt_algorithm=algorithm)
    person = await register(running.client)

    assert jwt.get_unverified_header(person.body["access_token"])["alg"] == algorithm
    assert (await running.client.get("/api/auth/me", headers=person.bearer)).status_code == 200
