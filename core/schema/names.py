"""Names as SQLite sees them: quoted, unquoted, and folded over ASCII alone."""

from __future__ import annotations

import string

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_CLOSING = {'"': '"', "'": "'", "`": "`", "[": "]"}


def fold(name: str) -> str:
    """``name`` as SQLite compares it: only A-Z are folded, so É and é stay two names."""
    return name.translate(_LOWER)


def unquoted(token: str) -> str:
    """The name a token of SQL text stands for.

    SQLite takes four kinds of quotes around a name, strings included
    (https://sqlite.org/lang_keywords.html); a doubled quote inside stands for one.
    """
    closing = _CLOSING.get(token[:1])
    if closing is None or len(token) < 2 or token[-1] != closing:
        return token
    return token[1:-1].replace(closing * 2, closing)
