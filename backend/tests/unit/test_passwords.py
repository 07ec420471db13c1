"""Hashes of passwords: parameters, equal work, limits."""

from __future__ import annotations

import asyncio

import pytest
from passlib.context import CryptContext

from app.core.errors import InvalidInputError, RateLimitedError
from app.core.passwords import MAX_PASSWORD_BYTES, Passwords
from app.services.identity.credentials import check_new_password


async def test_row_23_only_argon2id_with_the_recommended_parameters() -> None:
    stored = await Passwords().hash("correct horse battery staple")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_verify() -> None:
    passwords = Passwords()
    stored = await passwords.hash("correct horse battery staple")

    assert await passwords.verify("correct horse battery staple", stored) == (True, None)
    assert await passwords.verify("Correct horse battery staple", stored) == (False, None)
    assert await passwords.verify("", stored) == (False, None)
    assert await passwords.verify("", None) == (False, None)
    assert await passwords.verify("x" * (MAX_PASSWORD_BYTES + 1), stored) == (False, None)


async def test_an_old_hash_is_renewed_by_the_right_password_only() -> None:
    old = CryptContext(["argon2"], argon2__type="ID", argon2__memory_cost=8192, argon2__time_cost=1)
    stored = old.hash("correct horse battery staple")
    passwords = Passwords()

    fits, renewed = await passwords.verify("correct horse battery staple", stored)
    assert fits
    assert renewed is not None
    assert await passwords.verify("correct horse battery staple", renewed) == (True, None)
    assert await passwords.verify("wrong", stored) == (False, None)


async def test_row_25_no_more_hashes_at_once_than_workers_and_a_short_queue() -> None:
    passwords = Passwords(workers=2, waiting=3)

    results = await asyncio.gather(*(passwords.verify("x", None) for _ in range(20)), return_exceptions=True)

    refused = [result for result in results if isinstance(result, RateLimitedError)]
    assert len(refused) == 15
    assert await passwords.verify("x", None) == (False, None)  # the queue is free again


@pytest.mark.parametrize(
    "password",
    [
        "ninechars",
        "PASSWORD1234",
        "qwertyuiop123",
        "123456789012",
        "ababababababab",
        "ada@example.org",
        "!ada@example.org1",
        "Monkey!2024",
        "starwarsstarwars",
        "sunshine12sunshine12",
        "abbaabbbaaba",
        "abcdefghijklmn",
        "9876543210987",
        "Transcribe2026!",
        "x" * 1025,
    ],
)
def test_row_23_weak_passwords_are_refused_without_being_repeated(password: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_new_password(password, "ada@example.org", 10)
    assert caught.value.field == "password"
    assert password not in caught.value.message


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "only lower case",
        "одиннадцать1",
        "monkey 4711-0815",
        "".join(f"{number:x}" for number in range(340)),
    ],
)
def test_row_23_there_are_no_composition_rules(password: str) -> None:
    check_new_password(password, "ada@example.org", 12)


def test_characters_are_counted_after_composition() -> None:
    with pytest.raises(InvalidInputError):
        check_new_password("e\u0301" * 11 + "", "ada@example.org", 12)
