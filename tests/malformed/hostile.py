"""Schemas that mean harm: written past SQLite's own checks, through writable_schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import apsw

from tests.malformed.sound import Files

Hostile = Callable[[Random, apsw.Connection], None]


def hostile(chance: Random, files: Files, folder: Path, harm: Hostile) -> Files:
    """The main file after ``harm`` was done to it through SQLite."""
    path = folder / "hostile"
    path.write_bytes(files[""])
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("PRAGMA cell_size_check = OFF")
    harm(chance, connection)
    connection.close()
    made = {"": path.read_bytes()}
    path.unlink()
    return made


def _add(
    connection: apsw.Connection, kind: str, name: str, table: str, root: object, sql: object
) -> None:
    connection.execute(
        "INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", (kind, name, table, root, sql)
    )


def _replace(connection: apsw.Connection, name: str, sql: object) -> None:
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, name))


def absurd_sql(chance: Random, connection: apsw.Connection) -> None:
    """An object whose text is none, or another's, or a number."""
    names = [
        n for (n,) in connection.execute("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL")
    ]
    texts: tuple[object, ...] = (
        None, 42, 1.5, b"\x00\xff", "", "CREATE", "CREATE TABLE", "CREATE TABLE t(", "SELECT 1", "DROP TABLE customer",
        "CREATE TABLE x(a); DROP TABLE customer", "CREATE TABLE \x00(a)", "CREATE TABLE customer AS SELECT 1",
        "CREATE VIRTUAL TABLE x USING absent", "CREATE VIEW x AS", "CREATE INDEX x ON nowhere(a)",
        "CREATE TABLE x(" + "(" * 5000, "CREATE TABLE x(a CHECK (" + "(" * 500 + "1" + ")" * 500 + "))", "é" * 100_000,
    )  # fmt: skip
    _replace(connection, chance.choice(names), chance.choice(texts))


def own_words_wrong(chance: Random, connection: apsw.Connection) -> None:
    """Type, name or table of an entry that is not what its text says."""
    names = [n for (n,) in connection.execute("SELECT name FROM sqlite_schema")]
    column = chance.choice(("type", "name", "tbl_name"))
    value = chance.choice(
        (
            None,
            "",
            "table",
            "view",
            "trigger",
            "index",
            "sqlite_x",
            b"\xff",
            "a\0b",
            "x" * 500,
            7,
            "customer",
        )
    )
    connection.execute(
        f"UPDATE sqlite_schema SET {column} = ? WHERE name = ?", (value, chance.choice(names))
    )


def roots(chance: Random, connection: apsw.Connection) -> None:
    """Two trees that begin on one page; pages that are not there."""
    names = [n for (n,) in connection.execute("SELECT name FROM sqlite_schema WHERE rootpage > 0")]
    others = [
        r for (r,) in connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0")
    ]
    root = chance.choice((*others, 0, 1, -1, 2**31 - 1, 10_000, "x", None))
    connection.execute(
        "UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (root, chance.choice(names))
    )


def recursive_views(chance: Random, connection: apsw.Connection) -> None:
    """Views of themselves, of each other, and one that never ends."""
    match chance.randrange(4):
        case 0:
            _add(connection, "view", "v", "v", 0, "CREATE VIEW v AS SELECT * FROM v")
        case 1:
            _add(connection, "view", "v", "v", 0, "CREATE VIEW v AS SELECT * FROM w")
            _add(connection, "view", "w", "w", 0, "CREATE VIEW w AS SELECT * FROM v")
        case 2:
            endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
            _add(connection, "view", "v", "v", 0, f"CREATE VIEW v AS {endless}")
        case _:
            for number in range(12):  # each doubles the one before
                below = "customer" if number == 0 else f"v{number - 1}"
                sql = f"CREATE VIEW v{number} AS SELECT a.id FROM {below} a, {below} b"
                _add(connection, "view", f"v{number}", f"v{number}", 0, sql)


def nested(chance: Random, connection: apsw.Connection) -> None:
    """Thousands of selects, brackets or signs within each other."""
    depth = chance.choice((50, 99, 101, 500, 3000, 20_000))
    select = "SELECT 1 AS x"
    match chance.randrange(6):
        case 0:
            text = f"CREATE VIEW deep AS {'SELECT * FROM (' * depth}{select}{')' * depth}"
        case 1:
            text = f"CREATE VIEW deep AS {f'{select} UNION ALL ' * depth}{select}"
        case 2:
            text = f"CREATE VIEW deep AS SELECT {'(' * depth}1{')' * depth} AS x"
        case 3:
            text = f"CREATE VIEW deep AS SELECT {'- ' * depth}1 AS x"
        case 4:
            text = f"CREATE VIEW deep AS SELECT {'CASE WHEN 1 THEN ' * depth}1{' END' * depth} AS x"
        case _:
            text = f"CREATE VIEW deep AS SELECT {' + '.join('1' for _ in range(depth))} AS x"
    _add(connection, "view", "deep", "deep", 0, text)


def deep_rules(chance: Random, connection: apsw.Connection) -> None:
    """The same in a CHECK, a default, a generated column, an index."""
    depth = chance.choice((50, 99, 300, 900, 3000, 20_000))
    deep = chance.choice(
        (
            f"{'(' * depth}price{')' * depth}",
            f"{'- ' * depth}price",
            f"{'NOT ' * depth}price",
            " + ".join("price" for _ in range(depth)),
            " OR ".join("price > 0" for _ in range(depth)),
            f"{'abs(' * depth}price{')' * depth}",
        )
    )
    table = "CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, price REAL"
    match chance.randrange(4):
        case 0:
            _replace(connection, "purchase", f"{table} CHECK ({deep}))")
        case 1:
            _replace(connection, "purchase", f"{table} DEFAULT ({deep.replace('price', '1')}))")
        case 2:
            _replace(connection, "purchase", f"{table}, g AS ({deep}))")
        case _:
            _replace(
                connection,
                "by_customer",
                f"CREATE INDEX by_customer ON purchase (customer) WHERE {deep}",
            )


def many_columns(chance: Random, connection: apsw.Connection) -> None:
    """Tables, views and indexes wider than anybody allows."""
    count = chance.choice((1000, 1599, 1601, 2000, 2001, 5000, 33_000))
    columns = ", ".join(f"c{n}" for n in range(count))
    match chance.randrange(3):
        case 0:
            _replace(
                connection, "purchase", f"CREATE TABLE purchase (id INTEGER PRIMARY KEY, {columns})"
            )
        case 1:
            ones = ", ".join(f"1 AS c{n}" for n in range(count))
            _add(connection, "view", "wide", "wide", 0, f"CREATE VIEW wide AS SELECT {ones}")
        case _:
            terms = ", ".join("customer" for _ in range(count))
            _replace(connection, "by_customer", f"CREATE INDEX by_customer ON purchase ({terms})")


def functions(chance: Random, connection: apsw.Connection) -> None:
    """Rules and triggers that call what they should not, or what nobody has."""
    call = chance.choice(
        ("load_extension('/tmp/x')", "readfile('/etc/passwd')", "writefile('/tmp/x', 1)", "eval('DROP TABLE customer')",
         "no_such_function(1)", "randomblob(1000000000)", "zeroblob(2147483647)", "printf('%*d', 2000000000, 1)",
         "fts3_tokenizer('simple', x'0000000000000001')", "hex(zeroblob(1000000000))", "(SELECT count(*) FROM customer a, customer b)")
    )  # fmt: skip
    table = "CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, price REAL"
    match chance.randrange(6):
        case 0:
            sql = f"CREATE TRIGGER bad AFTER INSERT ON purchase BEGIN SELECT {call}; END"
            _add(connection, "trigger", "bad", "purchase", 0, sql)
        case 1:
            _add(connection, "view", "bad", "bad", 0, f"CREATE VIEW bad AS SELECT {call} AS x")
        case 2:
            _replace(connection, "purchase", f"{table} DEFAULT ({call}))")
        case 3:
            _replace(connection, "purchase", f"{table} CHECK ({call} IS NOT NULL))")
        case 4:
            _replace(connection, "purchase", f"{table}, g AS ({call}))")
        case _:
            _replace(connection, "by_customer", f"CREATE INDEX by_customer ON purchase ({call})")


def names(chance: Random, connection: apsw.Connection) -> None:
    """Names and types that would like to be SQL, or are none."""
    name = chance.choice(
        ("", " ", "x" * 100_000, "a\nb", '"); DROP SCHEMA public CASCADE; --', "mudanza", "pg_catalog", "pg_class", "%s%(x)s",
         "\u202e\u0000"[:1], "NULL", "é" * 40, "{}", "'", "\\", "\x7f\x01", "customer ")
    )  # fmt: skip
    quoted = '"' + name.replace('"', '""') + '"'
    match chance.randrange(4):
        case 0:
            connection.execute(f"CREATE TABLE {quoted} (a, b); INSERT INTO {quoted} VALUES (1, 2)")
        case 1:
            connection.execute(f"CREATE TABLE t (a, {quoted} TEXT); INSERT INTO t VALUES (1, 2)")
        case 2:
            connection.execute(
                f"CREATE TABLE t (a {quoted}, b {quoted} DEFAULT {quoted}); INSERT INTO t VALUES (1, 2)"
            )
        case _:
            connection.execute(
                f'CREATE INDEX {quoted} ON customer (name); CREATE VIEW {quoted[:-1]}v" AS SELECT 1 AS {quoted}'
            )


def sequences(chance: Random, connection: apsw.Connection) -> None:
    """Numbers of AUTOINCREMENT that are none."""
    value = chance.choice((None, "x", b"\xff", 1e300, -5, 2**63 - 1, 0.5, "9" * 40))
    connection.execute("UPDATE sqlite_sequence SET seq = ?", (value,))
    if chance.random() < 0.3:
        connection.execute(
            "INSERT INTO sqlite_sequence VALUES (?, 5)",
            (chance.choice((None, "customer", 7, "gone")),),
        )


def virtual(chance: Random, connection: apsw.Connection) -> None:
    """Virtual tables over modules that read files, or are not there, or lost their shadows."""
    module = chance.choice(
        ("dbstat", "csv(filename='/etc/passwd')", "zipfile('/x')", "fsdir('/')", "absent(a, b)", "fts5(a, content='customer')",
         "fts5(a, content='')", "fts5(rank)", "fts4(a, tokenize=absent)", "rtree(a)", "sqlite_dbpage", "generate_series", "bytecode", "fts5vocab('search', 'row')")
    )  # fmt: skip
    _add(connection, "table", "odd", "odd", 0, f"CREATE VIRTUAL TABLE odd USING {module}")


def references(chance: Random, connection: apsw.Connection) -> None:
    """Foreign keys to absent, to views, to themselves, of other widths; loops of rules."""
    table = "CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER, price REAL"
    more = chance.choice(
        (", FOREIGN KEY (customer, price) REFERENCES customer(id)", ", FOREIGN KEY (absent) REFERENCES customer",
         ", FOREIGN KEY (customer) REFERENCES purchase(customer)", ", FOREIGN KEY (customer) REFERENCES spent", " REFERENCES purchase",
         ", FOREIGN KEY (id) REFERENCES customer(absent)", ", a AS (b), b AS (a)", ", a AS (a)", ", UNIQUE (absent)", ", PRIMARY KEY (price)",
         ", CHECK (absent > 1)", ", CHECK (spent.total > 1)", ", customer TEXT", " COLLATE absent", ", UNIQUE (price) ON CONFLICT REPLACE")
    )  # fmt: skip
    _replace(connection, "purchase", f"{table}{more})")


HOSTILE: dict[str, Hostile] = {
    each.__name__: each
    for each in (
        absurd_sql, own_words_wrong, roots, recursive_views, nested, deep_rules, many_columns, functions, names,
        sequences, virtual, references,
    )
}  # fmt: skip
