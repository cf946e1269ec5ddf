"""Products by their words, on either engine: one promise, kept twice.

A product is found when its title or description has all the words that were typed, in any
case and order; the last word may be the beginning of one. Signs between words mean
nothing: whatever people type is a search, never an error. A word is also found with one
accent more or less: most Spanish words have one, which people leave out. What a word is the
engines agree on, but for addresses and paths, which PostgreSQL keeps whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Float, cast, column, func, literal_column, table
from sqlalchemy.orm import Session

from webapp.models import Product
from webapp.services.pages import Rows
from webapp.services.texts import line

LENGTH_MAX = 200
WORD_MAX = 40
"""Letters of a word that is looked for with other accents; none that people use is longer."""

_SIGNS = re.compile(r"""['"\\:&|!()<>*]""")
"""What either engine's language of queries gives a meaning."""
_FAMILIES = ("aá", "eé", "ií", "oó", "uúü", "nñ")
_OTHERS = {letter: family.replace(letter, "") for family in _FAMILIES for letter in family}
"""Letters that differ by an accent alone."""


class Finder(Protocol):
    """How one engine looks for words."""

    def narrowed(self, products: Rows) -> Rows:
        """Those of the products that have the words."""

    def nearness(self) -> ColumnElement[float]:
        """How well a product found fits: more is better."""


def words(typed: str) -> tuple[str, ...]:
    """The words in what somebody typed, small, without the signs around them."""
    plain = _SIGNS.sub(" ", line(typed[:LENGTH_MAX]).lower())
    return tuple(word for word in plain.split() if any(map(str.isalnum, word)))


def finder(session: Session, typed: str) -> Finder:
    """How the session's engine looks for what somebody typed."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return (_InSqlite if is_sqlite else _InPostgres)(words(typed))


def spellings(word: str) -> tuple[str, ...]:
    """The word as it is, and all that have one accent more, less, or of another kind."""
    if len(word) > WORD_MAX:
        return (word,)
    others = (
        word[:place] + other + word[place + 1 :]
        for place, letter in enumerate(word)
        for other in _OTHERS.get(letter, "")
    )
    return (word, *others)


def _each(sought: Sequence[str]) -> list[tuple[tuple[str, ...], bool]]:
    """The spellings of each word, and whether longer words count too."""
    last = len(sought) - 1
    return [(spellings(word), place == last) for place, word in enumerate(sought)]


class _InSqlite:
    """By FTS5's table, which knows the words of the table of products."""

    _index = table("product_search", column("rowid"))

    def __init__(self, sought: Sequence[str]) -> None:
        self._query = " AND ".join(
            "(" + " OR ".join(f'"{word}"{" *" if is_open else ""}' for word in spelled) + ")"
            for spelled, is_open in _each(sought)
        )

    def narrowed(self, products: Rows) -> Rows:
        matches = literal_column("product_search").op("MATCH")(self._query or '""')
        return products.join(self._index, self._index.c.rowid == Product.id).where(matches)

    def nearness(self) -> ColumnElement[float]:
        return -literal_column("product_search.rank", Float)


class _InPostgres:
    """By the index over what PostgreSQL makes of a product's words."""

    # As the index spells it: with anything bound, it would be another expression.
    _vector: ColumnElement[Any] = literal_column(
        "to_tsvector('simple',"
        " coalesce(product.title, '') || ' ' || coalesce(product.description, ''))"
    )

    def __init__(self, sought: Sequence[str]) -> None:
        query = " & ".join(
            "(" + " | ".join(f"'{word}'{':*' if is_open else ''}" for word in spelled) + ")"
            for spelled, is_open in _each(sought)
        )
        self._query = func.to_tsquery(literal_column("'simple'"), query)

    def narrowed(self, products: Rows) -> Rows:
        return products.where(self._vector.op("@@")(self._query))

    def nearness(self) -> ColumnElement[float]:
        # A real would come back as another number than the one it was compared as.
        return cast(func.ts_rank(self._vector, self._query), Float(53))
