"""Lists that are read a page at a time, by where the last page ended.

A place in a list is what its order compares, so what comes and goes before it neither
repeats nor hides anything, and a late page costs as much as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Row, Select, literal, tuple_
from sqlalchemy.orm import Session

T = TypeVar("T")
U = TypeVar("U")
SIZE = 24

Rows: TypeAlias = Select[*tuple[Any, ...]]
"""A question for rows of any columns."""


@dataclass(frozen=True)
class Place:
    """Where a page ended: the last row's key, spelled, and its id."""

    key: str
    id: int


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list, and the place after which it goes on; None: nothing follows."""

    items: tuple[T, ...]
    after: Place | None = None

    def turned(self, into: Callable[[T], U]) -> Page[U]:
        """The same page of other things."""
        return Page(tuple(map(into, self.items)), self.after)


@dataclass(frozen=True)
class Order:
    """An order of rows by a key that is never NULL, then by ``id``, both the same way.

    ``read`` makes of a place's spelling what ``key`` compares.
    """

    key: ColumnElement[Any]
    id: ColumnElement[int]
    read: Callable[[str], Any]
    falling: bool = True

    def after(self, place: Place) -> ColumnElement[bool]:
        """Whether a row comes after a place."""
        row = tuple_(self.key, self.id)
        other = tuple_(literal(self.read(place.key), self.key.type), literal(place.id))
        return row < other if self.falling else row > other

    def by(self) -> tuple[ColumnElement[Any], ...]:
        """What to order by."""
        both = (self.key, self.id)
        return tuple(part.desc() if self.falling else part.asc() for part in both)


def page(
    session: Session, rows: Rows, order: Order, after: Place | None, size: int
) -> Page[Row[Any]]:
    """A page of ``rows``. Asks for one more, to know whether another page follows."""
    if after is not None:
        rows = rows.where(order.after(after))
    keyed = rows.add_columns(order.key.label("page_key"), order.id.label("page_id"))
    found = session.execute(keyed.order_by(*order.by()).limit(size + 1)).all()
    return Page(tuple(found[:size]), _end(found, size))


def _end(found: Sequence[Row[Any]], size: int) -> Place | None:
    if len(found) <= size:
        return None
    last = found[size - 1]
    return Place(_spelled(last.page_key), last.page_id)


def _spelled(key: datetime | Decimal | float | str) -> str:
    return key.isoformat() if isinstance(key, datetime) else str(key)
