"""What stands beside the tables: indexes, views, triggers, virtual tables."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.scoreboard.unseen.naming import quoted
from benchmarks.scoreboard.unseen.tables import Column, Table


def draw_indexes(chance: Random, table: Table) -> Iterator[str]:
    """Some indexes of a table: plain, unique, partial, of expressions, descending, collated."""
    plain = [c for c in table.columns if c.kind != "generated"]
    for number in range(chance.choice((0, 1, 1, 2, 3))):
        column = chance.choice(plain)
        name, on = quoted(f"ix {table.name} {number}"), quoted(table.name)
        terms, where = _terms(chance, column, plain), _where(chance, chance.choice(plain))
        unique = "UNIQUE " if chance.random() < 0.15 else ""
        yield f"CREATE {unique}INDEX {name} ON {on} ({terms}){where}"


def _terms(chance: Random, column: Column, plain: list[Column]) -> str:
    name = quoted(column.name)
    shapes = [name, f"{name} DESC", f"{name}, {quoted(chance.choice(plain).name)} DESC"]
    if column.kind in ("text", "key text"):
        shapes += [f"{name} COLLATE NOCASE", f"lower({name})", f"substr({name}, 1, 4)"]
    if column.kind in ("integer", "real"):
        shapes += [f"abs({name})", f"{name} + 1"]
    if column.kind == "moment":
        shapes += [f"date({name})"]
    if column.kind == "document":
        shapes += [f"json_extract({name}, '$.n')"]
    return chance.choice(shapes)


def _where(chance: Random, column: Column) -> str:
    if chance.random() < 0.6:
        return ""
    name = quoted(column.name)
    shapes = [f"{name} IS NOT NULL"]
    if column.kind == "boolean":
        shapes += [f"{name} = 1", f"NOT {name}"]
    if column.kind in ("integer", "real"):
        shapes += [f"{name} > 0", f"{name} BETWEEN 1 AND 100"]
    if column.kind == "text":
        shapes += [f"{name} <> ''", f"{name} LIKE 'a%'"]
    return f" WHERE {chance.choice(shapes)}"


def draw_views(chance: Random, tables: list[Table]) -> Iterator[tuple[str, str]]:
    """Some views, each with its name."""
    for number in range(chance.choice((0, 1, 2, 3))):
        table = chance.choice(tables)
        name = f"view {number} of {table.name}" if chance.random() < 0.2 else f"v{number}"
        select = chance.choice((_listing, _summary, _reworked, _joined))(chance, table, tables)
        yield name, f"CREATE VIEW {quoted(name)} AS {select}"


def _listing(chance: Random, table: Table, _tables: list[Table]) -> str:
    columns = ", ".join(quoted(c.name) for c in table.columns)
    flags = table.of("boolean")
    where = f" WHERE {quoted(flags[0].name)} = 0" if flags and chance.random() < 0.7 else ""
    return f"SELECT {columns} FROM {quoted(table.name)}{where}"


def _summary(chance: Random, table: Table, _tables: list[Table]) -> str:
    group = quoted(chance.choice(table.columns).name)
    numbers = table.of("integer", "epoch", "key integer", "boolean")
    more = ""
    if numbers:
        number = quoted(numbers[-1].name)
        more = f", min({number}) AS least, max({number}) AS most, count({number}) AS filled"
    having = chance.choice(("", " HAVING count(*) > 1"))
    return f"SELECT {group}, count(*) AS n{more} FROM {quoted(table.name)} GROUP BY {group}{having}"


def _reworked(chance: Random, table: Table, _tables: list[Table]) -> str:
    terms = [f"{quoted(c.name)}" for c in table.columns[:2]]
    for column in table.of("text", "key text")[:2]:
        name = quoted(column.name)
        terms.append(chance.choice((f"upper({name})", f"ifnull({name}, '-')", f"substr({name}, -3)", f"{name} || '!'", f"length({name})", f"trim({name})", f"instr({name}, 'a')", f"replace({name}, 'a', 'b')")))  # fmt: skip
    for column in table.of("integer", "real")[:2]:
        name = quoted(column.name)
        terms.append(chance.choice((f"abs({name} % 10)", f"CASE WHEN {name} > 0 THEN 'plus' ELSE 'rest' END", f"coalesce({name}, 0)", f"iif({name} > 5, 1, 0)", f"{name} IS NULL")))  # fmt: skip
    for column in table.of("moment", "date")[:1]:
        name = quoted(column.name)
        terms.append(chance.choice((f"strftime('%Y', {name})", f"date({name})", f"date({name}, '+1 day')")))  # fmt: skip
    named = [term if i < 2 else f"{term} AS c{i}" for i, term in enumerate(terms)]
    return f"SELECT {', '.join(named)} FROM {quoted(table.name)}"


def _joined(chance: Random, table: Table, tables: list[Table]) -> str:
    keyed = [t for t in tables if len(t.key) == 1 and t.columns[0].kind == "key integer"]
    references = table.of("reference integer")
    if not keyed or not references:
        return f"SELECT count(*) AS n FROM {quoted(table.name)}"
    other = chance.choice(keyed)
    kind = chance.choice(("JOIN", "LEFT JOIN"))
    return (
        f"SELECT a.{quoted(table.columns[0].name)} AS left_key, b.{quoted(other.key[0])} AS right_key"
        f" FROM {quoted(table.name)} a {kind} {quoted(other.name)} b"
        f" ON b.{quoted(other.key[0])} = a.{quoted(references[0].name)}"
    )


def draw_triggers(chance: Random, tables: list[Table]) -> Iterator[str]:
    """Some triggers of the usual shapes."""
    for number in range(chance.choice((0, 0, 1, 2))):
        table = chance.choice(tables)
        name, on = quoted(f"tr{number}"), quoted(table.name)
        yield chance.choice(
            (
                f"CREATE TRIGGER {name} AFTER DELETE ON {on} BEGIN UPDATE tally SET n = n - 1; END",
                f"CREATE TRIGGER {name} AFTER INSERT ON {on} WHEN 1 BEGIN UPDATE tally SET n = n + 1; END",
                (
                    f"CREATE TRIGGER {name} BEFORE DELETE ON {on}"
                    f" WHEN OLD.{quoted(table.columns[0].name)} = 1"
                    " BEGIN SELECT RAISE(ABORT, 'the first stays'); END"
                ),
                (
                    f"CREATE TRIGGER {name} AFTER UPDATE OF {quoted(table.filled[-1].name)} ON {on}"
                    " BEGIN INSERT INTO tally VALUES (NULL, 'changed', 1); END"
                ),
            )
        )


def draw_virtual(chance: Random) -> Iterator[str]:
    """A full-text table or a box of rectangles, with a few rows."""
    match chance.choice(("", "", "fts5", "fts4", "rtree")):
        case "fts5" | "fts4" as module:
            yield f"CREATE VIRTUAL TABLE search USING {module}(title, body)"
            yield "INSERT INTO search (title, body) VALUES ('one', 'the quick brown fox'), ('zwei', 'über alles')"
        case "rtree":
            yield "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1)"
            yield "INSERT INTO boxes VALUES (1, 0.5, 1.5), (2, -1, 1)"
