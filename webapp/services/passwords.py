"""Passwords: argon2id at the floor that OWASP names, and the hashes of earlier years.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html: 19 MiB, two
passes, one lane. Hashes that Werkzeug made (``pbkdf2:`` and ``scrypt:``) are still understood;
whoever logs in with one gets a new one.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webapp.services.errors import Invalid

SHORTEST, LONGEST = 8, 128
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_COMMON = Path(__file__).with_name("common_passwords.txt")
_PBKDF2_MOST = 5_000_000
_SCRYPT_BYTES_MOST = 256 << 20


def hashed(password: str) -> str:
    """What the database keeps."""
    return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password. Without one (an account that has none, or no account) it takes
    as long, and is not."""
    if kept is None:
        _argon2_fits(password, _nobody())
        return False
    if kept.startswith(("pbkdf2:", "scrypt:")):
        return _werkzeug_fits(password, kept)
    return _argon2_fits(password, kept)


def is_outdated(kept: str) -> bool:
    """Whether a hash should be made anew while the password is at hand."""
    return not kept.startswith("$argon2") or _HASHER.check_needs_rehash(kept)


def require_good(password: str, *personal: str) -> None:
    """Refuse a password that is too short, too long, that everybody tries first, or that says
    no more than the account does. Raises Invalid."""
    if len(password) < SHORTEST:
        raise Invalid({"password": "password_too_short"})
    if len(password) > LONGEST or "\x00" in password:
        raise Invalid({"password": "password_too_long"})
    if password.lower() in common() | {word.lower() for word in personal if word}:
        raise Invalid({"password": "password_common"})


def chosen(password: str, *personal: str) -> str:
    """The hash of a password that is good. Raises Invalid."""
    require_good(password, *personal)
    return hashed(password)


@cache
def common() -> frozenset[str]:
    """Passwords that are tried first."""
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


@cache
def _nobody() -> str:
    return hashed("nobody has this password")


def _argon2_fits(password: str, kept: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _werkzeug_fits(password: str, kept: str) -> bool:
    """``method$salt$hex``, as Werkzeug writes it."""
    method, _, rest = kept.partition("$")
    salt, _, said = rest.partition("$")
    try:
        made = _derived(password.encode(), salt.encode(), method.split(":"))
    except (ValueError, IndexError, OverflowError, MemoryError):
        return False
    return hmac.compare_digest(made.hex().encode(), said.encode())


def _derived(password: bytes, salt: bytes, method: list[str]) -> bytes:
    if method[0] == "pbkdf2":
        rounds = int(method[2])
        if rounds > _PBKDF2_MOST:
            raise ValueError("more rounds than anybody asks for")
        return hashlib.pbkdf2_hmac(method[1], password, salt, rounds)
    n, r, p = map(int, method[1:4])
    if min(n, r, p) < 1 or max(n, r, p) > _SCRYPT_BYTES_MOST:
        raise ValueError("more work, or less, than there is")
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_SCRYPT_BYTES_MOST)
