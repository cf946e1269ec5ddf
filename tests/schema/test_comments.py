"""What people wrote beside columns belongs to what it was written beside."""

from __future__ import annotations

import pytest

from core.schema.comments import TABLE, read_comments

TEXTS = {
    "CREATE TABLE t (a, -- of a\n b -- of b\n)": {0: "of a", 1: "of b"},
    "CREATE TABLE t (\n -- of a\n a,\n /* of b */ b)": {0: "of a", 1: "of b"},
    "CREATE TABLE t ( -- of t\n a)": {TABLE: "of t"},
    "CREATE TABLE t -- of t\n(a) -- more": {TABLE: "of t\nmore"},
    "/* of t */ CREATE TABLE t (a)": {TABLE: "of t"},
    "CREATE TABLE t (a, b, -- of b\n -- of the key\n PRIMARY KEY (a, b) -- too\n)": {
        1: "of b",
        TABLE: "of the key\ntoo",
    },
    "CREATE TABLE t (a DECIMAL(10, -- of a\n 2), b)": {0: "of a"},
    "CREATE TABLE t (a /* one */ INT /* two */, b)": {0: "one\ntwo"},
    "CREATE TABLE t (a\n -- behind a, before its comma\n , b)": {0: "behind a, before its comma"},
    "CREATE TABLE t (a, /* of\n * b\n */\n b)": {0: "of\nb"},
    "CREATE TABLE t (a TEXT DEFAULT '-- no comment', b)": {},
    "CREATE TABLE t (a, --\n /**/ b)": {},
    'CREATE TABLE t (a, -- it\'s "quoted"; DROP TABLE t\n b)': {0: 'it\'s "quoted"; DROP TABLE t'},
}


@pytest.mark.parametrize(("sql", "wanted"), TEXTS.items())
def test_a_comment_belongs_to_what_it_stands_beside(sql: str, wanted: dict[int, str]) -> None:
    assert read_comments(sql, 1 if "(a)" in sql or " a)" in sql else 2) == wanted
