"""What people type, as it is kept: one spelling for each letter, and nothing that is not text."""

from __future__ import annotations

import unicodedata


def line(typed: str) -> str:
    """One line: without its ends, and with a single space where there was any."""
    return " ".join(_letters(typed).split())


def paragraphs(typed: str) -> str:
    """Several lines, which stay apart."""
    lines = _letters(typed.replace("\r\n", "\n")).split("\n")
    return "\n".join(part.rstrip() for part in lines).strip()


def _letters(typed: str) -> str:
    # PostgreSQL holds no zero byte, and no text needs the other controls.
    composed = unicodedata.normalize("NFC", typed)
    return "".join(sign for sign in composed if sign in "\n\t" or _is_text(sign))


def _is_text(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cs")
