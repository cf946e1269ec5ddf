"""What passwords may be, what is kept of them, and which hashes of earlier years are known."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from werkzeug.security import generate_password_hash

from tests.webapp.world import PASSWORD
from webapp.services import passwords
from webapp.services.errors import Invalid


def test_a_hash_is_argon2id_at_the_floor_that_owasp_names() -> None:
    found = extract_parameters(passwords.hashed(PASSWORD))
    assert found.type is Type.ID
    assert (found.time_cost, found.memory_cost, found.parallelism) == (2, 19 * 1024, 1)
    assert found.salt_len >= 16
    assert found.hash_len >= 32


def test_a_password_is_never_hashed_the_same_way_twice() -> None:
    assert passwords.hashed(PASSWORD) != passwords.hashed(PASSWORD)


@pytest.mark.parametrize(
    "password",
    ["8 chars.", "x" * 128, "ñandú ñandú", "密码密码密码密码", "all lower case", "  spaces  "],
)
def test_a_password_is_anything_of_eight_to_128_characters(password: str) -> None:
    kept = passwords.chosen(password, "ana@example.com", "ana")
    assert passwords.fits(password, kept)
    assert not passwords.fits(password + "x", kept)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "password_too_short"),
        ("7 chars", "password_too_short"),
        ("x" * 129, "password_too_long"),
        ("with a \x00 in it", "password_too_long"),
        ("password", "password_common"),
        ("PassWord123", "password_common"),
        ("Ana@Example.com", "password_common"),
        ("ana-of-the-shop", "password_common"),
    ],
)
def test_a_password_that_will_not_do_is_named(password: str, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.chosen(password, "ana@example.com", "ana-of-the-shop")
    assert refused.value.problems == {"password": problem}


def test_at_least_two_hundred_passwords_are_too_common() -> None:
    long_enough = {word for word in passwords.common() if len(word) >= passwords.SHORTEST}
    assert len(long_enough) >= 200
    assert {word.lower() for word in long_enough} == long_enough


@pytest.mark.parametrize(
    "method", ["pbkdf2:sha256:1000", "pbkdf2:sha1:1000", "pbkdf2:sha512:999", "scrypt:1024:8:1"]
)
@pytest.mark.parametrize("password", [PASSWORD, "contraseña ñ", "密码密码密码密码"])
def test_hashes_that_werkzeug_made_are_known(method: str, password: str) -> None:
    kept = generate_password_hash(password, method)
    assert passwords.fits(password, kept)
    assert not passwords.fits(password + "x", kept)
    assert passwords.is_outdated(kept)


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "pbkdf2:",
        "pbkdf2:sha256",
        "pbkdf2:sha256:x$salt$00",
        "pbkdf2:sha256:-1$salt$00",
        "pbkdf2:sha256:1000$salt",
        "pbkdf2:sha256:1000$salt$ñandú",
        "pbkdf2:nonsense:1000$salt$00",
        "pbkdf2:sha256:99999999999$salt$00",
        "scrypt:",
        "scrypt:3:8:1$salt$00",
        "scrypt:1024:8:-1$salt$00",
        "scrypt:1048576:1024:64$salt$00",
        f"scrypt:{2**80}:8:1$salt$00",
        "$argon2id$",
        "$argon2id$v=19$m=19456,t=2,p=1$nonsense$nonsense",
        "sha1$salt$00",
        PASSWORD,
    ],
)
def test_a_hash_that_is_none_fits_nothing_and_breaks_nothing(kept: str) -> None:
    assert not passwords.fits(PASSWORD, kept)


def test_a_weaker_argon2_hash_is_made_anew() -> None:
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
    assert passwords.is_outdated(weak)
    assert not passwords.is_outdated(passwords.hashed(PASSWORD))


def test_an_account_without_a_password_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by the work that is done, which no busy machine changes: one key is derived for
    each, at the same cost."""
    verified: list[str] = []
    hasher = passwords._HASHER

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            verified.append(kept)
            return bool(hasher.verify(kept, password))

        def hash(self, password: str) -> str:
            return str(hasher.hash(password))

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not passwords.fits("wrong wrong", None)
    assert not passwords.fits("wrong wrong", hasher.hash(PASSWORD))
    costs = {(p.time_cost, p.memory_cost, p.parallelism) for p in map(extract_parameters, verified)}
    assert len(verified) == 2
    assert len(costs) == 1
