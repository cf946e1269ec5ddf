"""Column types that mean the same on both engines.

SQLAlchemy's own lose something on SQLite: DateTime drops offsets, Numeric warns and rounds,
Enum compares by names, Uuid has no dashes. Declared types are those that a mover
understands: TIMESTAMPTZ, DECIMAL(12, 2), JSON, UUID.
"""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, DateTime, Dialect, Enum, Numeric, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from webapp.money import PRICE_MAX, rounded

__all__ = ["CheckConstraint", "Choice", "Document", "Moment", "Money", "PublicId"]

Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document: JSON on SQLite, jsonb on PostgreSQL."""


class _Declared(UserDefinedType[Any]):
    """A type of SQLite's by its name alone: it takes what the driver is given."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The name in CREATE TABLE."""
        return self.name


class _Decimal(Numeric[Any]):
    """DECIMAL(12, 2) that reads and binds what the driver has, without a warning."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:  # noqa: ARG002
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:  # noqa: ARG002
        return None


@compiles(_Decimal, "sqlite")
def _declared_decimal(element: _Decimal, compiler: Any, **words: Any) -> str:  # noqa: ARG001
    return f"DECIMAL({element.precision}, {element.scale})"


class Moment(TypeDecorator[datetime]):
    """An aware moment, in UTC. On SQLite a text of fixed width, so that texts sort as moments
    do: ``2026-11-24 23:59:59.000000+00:00``."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """timestamptz, or a text under that name."""
        if dialect.name == "sqlite":
            return _Declared("TIMESTAMPTZ")
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Raises ValueError for a moment without an offset: nobody knows when that is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs an offset")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.isoformat(sep=" ", timespec="microseconds")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            value = datetime.fromisoformat(value)
        found: datetime = value
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount of at most twelve digits, two of them after the point.

    SQLite makes a double of it; its shortest spelling has at most fifteen digits, so the
    amount comes back as it was (https://sqlite.org/floatingpoint.html).
    """

    impl = Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """numeric(12, 2) on both."""
        if dialect.name == "sqlite":
            return _Decimal(12, 2)
        return dialect.type_descriptor(Numeric(12, 2))

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        """Raises ValueError for what is not in whole cents, or too much."""
        if value is None:
            return None
        amount = Decimal(value)
        if not amount.is_finite() or amount != rounded(amount) or abs(amount) > PRICE_MAX:
            raise ValueError("an amount needs whole cents and at most twelve digits")
        return float(amount) if dialect.name == "sqlite" else amount

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """In whole cents."""
        if value is None:
            return None
        return rounded(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


class PublicId(TypeDecorator[uuid.UUID]):
    """A random UUID; on SQLite a text with dashes, under the name UUID."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """uuid, or a text under that name."""
        return _Declared("UUID") if dialect.name == "sqlite" else dialect.type_descriptor(Uuid())

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> Any:
        """The text of it on SQLite."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:  # noqa: ARG002
        """A UUID."""
        return uuid.UUID(value) if isinstance(value, str) else value


class _Word(Enum):
    """An enum's value as TEXT. PostgreSQL says CHECKs over VARCHARs in other words once they
    are made again, and who restores or moves them could not tell whether they are the same."""

    cache_ok = True


@compiles(_Word)
def _declared_word(element: _Word, compiler: Any, **words: Any) -> str:  # noqa: ARG001
    return "TEXT"


def Choice(kind: type[enum.StrEnum], name: str) -> Enum:  # noqa: N802
    """A text that is one of an enum's values, held to it by a CHECK called ``name``: native
    enums of PostgreSQL can not lose a value, and SQLite has none."""
    return _Word(
        kind,
        native_enum=False,
        name=name,
        create_constraint=True,
        values_callable=lambda values: [value.value for value in values],
        validate_strings=True,
    )
