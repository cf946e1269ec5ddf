"""Declared types as people write them, and literal defaults as SQLite stores them."""

from __future__ import annotations

import apsw
import pytest

from core.source.rows import SqliteValue
from core.values.declared import Declared, Kind, declared
from core.values.defaults import default_value
from core.values.types import TargetType, parse_type

WORDS = {
    Kind.INTEGER: (
        "INTEGER|int|TINYINT|SMALLINT|MEDIUMINT|BIGINT|INT2|INT4|INT8|UNSIGNED BIG INT|INT(11)"
        "|INTEGER UNSIGNED|bigint signed|SERIAL|BIGSERIAL|LONG|INTEGER AUTOINCREMENT"
    ),
    Kind.REAL: "REAL|FLOAT|FLOAT(24)|FLOAT8|DOUBLE|DOUBLE PRECISION|double  precision",
    Kind.DECIMAL: "DECIMAL|NUMERIC|DEC|NUMBER",
    Kind.BOOLEAN: "BOOL|BOOLEAN|boolean",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME|TIME WITHOUT TIME ZONE",
    Kind.TIMESTAMP: "DATETIME|DATETIME2|SMALLDATETIME|TIMESTAMP|TIMESTAMP(6)|DATETIME(3)",
    Kind.TIMESTAMPTZ: "TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE|TIMESTAMP (6) WITH TIME ZONE",
    Kind.TEXT: "TEXT|CLOB|LONGTEXT|NTEXT|MEDIUMTEXT|CITEXT",
    Kind.JSON: "JSON|JSONB|json",
    Kind.BLOB: "BLOB|BYTEA|BINARY(16)|VARBINARY(255)|LONGBLOB|IMAGE",
    Kind.UUID: "UUID|GUID|UNIQUEIDENTIFIER",
    Kind.UNTYPED: "| |()",
    Kind.UNKNOWN: "WHATEVER|ANY|MONEY|POINT|FLOATING POINT|INTEGERS|TEXT NOT|YEAR|ENUM('a','b')",
}


@pytest.mark.parametrize(
    ("text", "kind"), [(text, kind) for kind, texts in WORDS.items() for text in texts.split("|")]
)
def test_what_a_declared_type_asks_for(text: str, kind: Kind) -> None:
    assert declared(text).kind is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VARCHAR(20)", Declared(Kind.VARCHAR, 20)),
        ("CHAR ( 3 )", Declared(Kind.VARCHAR, 3)),
        ("NATIVE CHARACTER(70)", Declared(Kind.VARCHAR, 70)),
        ("VARYING CHARACTER(255)", Declared(Kind.VARCHAR, 255)),
        ("character varying", Declared(Kind.VARCHAR)),
        ("NVARCHAR(MAX)", Declared(Kind.VARCHAR)),
        ("DECIMAL(10,2)", Declared(Kind.DECIMAL, 10, 2)),
        ("numeric( 5 )", Declared(Kind.DECIMAL, 5)),
        ("DECIMAL(10, -2)", Declared(Kind.DECIMAL)),
    ],
)
def test_numbers_in_parentheses(text: str, expected: Declared) -> None:
    assert declared(text) == expected


def test_any_is_a_type_of_strict_tables() -> None:
    assert declared("ANY", strict=True).kind is Kind.UNTYPED
    assert declared("INT", strict=True).kind is Kind.INTEGER


@pytest.mark.parametrize(
    ("declared_type", "expression", "stored"),
    [
        ("INTEGER", "'5'", 5),
        ("INTEGER", "'five'", "five"),
        ("TEXT", "42", "42"),
        ("TEXT", '"dq"', "dq"),
        ("TEXT", "bare", "bare"),
        ("BOOLEAN", "TRUE", 1),
        ("BOOLEAN", "false", 0),
        ("BLOB", "x'00ff'", b"\x00\xff"),
        ("REAL", "1", 1.0),
        ("", "1", 1),
        ("", "-1.5", -1.5),
        ("NUMERIC", "'1.50'", 1.5),
        ("INTEGER", "(7)", 7),
        ("INTEGER", "0x1F", 31),
        ("INTEGER", "NULL", None),
        ("DECIMAL(10,2)", "'9.99'", 9.99),
        ("TEXT", "'it''s'", "it's"),
    ],
)
def test_a_default_is_stored_with_affinity(
    declared_type: str, expression: str, stored: SqliteValue
) -> None:
    value = default_value(declared_type, expression)

    assert (type(value), value) == (type(stored), stored)


def test_a_default_that_sqlite_refuses() -> None:
    with pytest.raises(apsw.SQLError):
        default_value("TEXT", "(no_such_function())")


@pytest.mark.parametrize(
    "text",
    [
        *("bigint", "double precision", "numeric", "numeric(10,2)", "boolean", "text"),
        *("varchar", "varchar(20)", "bytea", "date", "time", "timestamp", "timestamptz"),
        *("json", "jsonb", "uuid"),
    ],
)
def test_a_target_type_is_read_as_it_is_written(text: str) -> None:
    kind = parse_type(text)

    assert kind is not None
    assert kind.sql == text


def test_one_number_is_a_precision() -> None:
    assert parse_type(" NUMERIC(5) ") == TargetType("numeric", precision=5, scale=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "int4",
        "char",
        "varchar(0)",
        "varchar(x)",
        "numeric(0)",
        "numeric(1001)",
        "text(5)",
    ],
)
def test_what_is_no_target_type(text: str) -> None:
    assert parse_type(text) is None
