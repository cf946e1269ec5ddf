"""What all tables share: the names of their constraints, and the types of their columns."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Identity, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from webapp.database.types import Document, Moment, Money, PublicId

naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that both engines and every revision agree on."""

BigInt = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by a column that is called INTEGER and nothing else."""

Key = Annotated[int, mapped_column(BigInt, Identity(), primary_key=True)]
Reference = Annotated[int, mapped_column(BigInt)]
Long = Annotated[str, mapped_column(Text)]
Short = Annotated[str, mapped_column(String(200))]
Code = Annotated[str, mapped_column(String(40))]
Digest = Annotated[str, mapped_column(String(64))]


class Base(DeclarativeBase):
    """The shop's tables."""

    metadata = MetaData(naming_convention=naming_convention)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        Decimal: Money,
        uuid.UUID: PublicId,
        dict[str, Any]: Document,
        list[Any]: Document,
    }
