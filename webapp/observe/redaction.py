"""Secrets, taken out of what is about to be written down: those that the settings hold, by
their value; all others by the name in front of them, or by the shape around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from webapp.settings import Settings

HIDDEN = "***"
SHORTEST = 6
"""Characters of a value that is looked for everywhere; a shorter one is in too many words."""

_NAMES = r"(?:password|passwd|pwd|token|secret|api[_-]?key|dsn|session[_-]?id)"
_LINES = r"(?:authorization|cookie)"
_SECRET_NAME = re.compile(rf"{_NAMES}|{_LINES}", re.IGNORECASE)
_SHAPES = (
    # An address with a name and a password, whatever signs the password has.
    (re.compile(r"(\w://)[^\s\"'<>]*@"), rf"\1{HIDDEN}@"),
    # A header: all of its line.
    (re.compile(rf"([\w-]*{_LINES}[\"']?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            rf"([\w.-]*{_NAMES}[\w.-]*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redaction:
    """``secrets``: values that must never be seen, wherever they stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    @classmethod
    def of(cls, settings: Settings) -> Redaction:
        """The secrets of the settings; of an address, its password too."""
        held = (getattr(settings, name) for name in Settings.model_fields)
        texts = [value.get_secret_value() for value in held if isinstance(value, SecretStr)]
        return cls([*texts, *(part for text in texts for part in _parts(text))])

    def text(self, text: str) -> str:
        """The text without what is secret in it."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text

    def value(self, value: Any, name: str = "") -> Any:
        """Anything at all, as plain values; ``name``: what it is called."""
        if value is None or isinstance(value, bool | int | float | date):
            return HIDDEN if value is not None and _SECRET_NAME.search(name) else value
        if _SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(held, str(key)) for key, held in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        return self.text(value if isinstance(value, str) else repr(value))


def _parts(text: str) -> list[str]:
    """What is secret in an address, as it stands there and as it is meant."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return []
    found = [parts.password] if parts.password else []
    if parts.scheme in ("http", "https") and parts.username:
        found.append(parts.username)  # of a DSN
    return [spelled for part in found for spelled in (part, unquote(part), quote(part, safe=""))]
