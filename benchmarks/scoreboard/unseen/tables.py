"""A table drawn by lot: its columns, its keys, its rules, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from benchmarks.scoreboard.unseen.naming import Namer, quoted
from benchmarks.scoreboard.unseen.values import KINDS, Value

_KEYS = (
    "alias",
    "alias",
    "autoincrement",
    "autoincrement",
    "int",
    "text",
    "pair",
    "bare",
    "none",
    "descending",
)
_ACTIONS = ("", "", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE ON DELETE RESTRICT", " ON DELETE SET DEFAULT")  # fmt: skip
_DEFERRAL = ("", "", "", " DEFERRABLE INITIALLY DEFERRED", " DEFERRABLE", " NOT DEFERRABLE")
_DIRT = (0.0, 0.0, 0.0, 0.02, 0.02, 0.4)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: ``kind`` is a name in KINDS, or ``reference`` or ``generated``."""

    name: str
    kind: str
    text: str
    dirt: float = 0.0
    fillable: bool = True


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; ``key`` has the names of its primary key."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    key_kind: str
    sql: str

    @property
    def filled(self) -> tuple[Column, ...]:
        """The columns that an INSERT names."""
        return tuple(c for c in self.columns if c.fillable)

    def of(self, *kinds: str) -> list[Column]:
        """Its columns of these kinds."""
        return [c for c in self.columns if c.kind in kinds]


def draw_table(chance: Random, namer: Namer, earlier: list[Table]) -> Table:
    """A table that may refer to ``earlier`` ones, or to itself."""
    name, given = namer.table(), set[str]()
    key_kind = chance.choice(_KEYS)
    keys = list(_keys(chance, namer, given, key_kind))
    plain = [_plain(chance, namer, given) for _ in range(chance.randint(1, 8))]
    references = list(_references(chance, namer, given, earlier))
    strict = chance.random() < 0.1
    if strict:
        plain = [_strict(c) for c in plain]
    generated = list(_generated(chance, namer, given, plain))
    if strict:
        keys, generated = [_retyped(c) for c in keys], [_retyped(c) for c in generated]
    columns = (*keys, *plain, *references, *generated)
    key = tuple(c.name for c in keys)
    parts = [c.text for c in columns]
    parts += _table_rules(chance, key_kind, key, plain, name)
    options = [*(["WITHOUT ROWID"] if key_kind == "bare" else []), *(["STRICT"] if strict else [])]
    comment = chance.choice(("", "", " -- what it is, isn't it?\n", " /* ', ) */ "))
    body = f",{comment}\n  ".join(parts)
    sql = f"CREATE TABLE {quoted(name)} (\n  {body}\n) {', '.join(options)}"
    return Table(name=name, columns=columns, key=key, key_kind=key_kind, sql=sql)


def draw_rows(chance: Random, table: Table, count: int) -> Iterator[tuple[Value, ...]]:
    """``count`` rows for the filled columns; what breaks a rule is the database's to refuse."""
    for row in range(1, count + 1):
        yield tuple(_value(chance, column, row) for column in table.filled)


def _keys(chance: Random, namer: Namer, given: set[str], kind: str) -> Iterator[Column]:
    match kind:
        case "none":
            return
        case "pair" | "bare":
            yield _key(namer, given, "key integer", "INTEGER NOT NULL")
            yield _key(
                namer,
                given,
                "key text",
                f"TEXT{chance.choice(('', ' COLLATE NOCASE', ' NOT NULL'))}",
            )
        case "text":
            yield _key(
                namer,
                given,
                "key text",
                chance.choice(
                    (
                        "TEXT PRIMARY KEY",
                        "VARCHAR(30) NOT NULL PRIMARY KEY",
                        "TEXT COLLATE NOCASE PRIMARY KEY",
                    )
                ),
            )
        case "int":
            yield _key(namer, given, "key integer", "INT PRIMARY KEY")
        case "descending":
            yield _key(namer, given, "key integer", "INTEGER PRIMARY KEY DESC")
        case _:
            more = " AUTOINCREMENT" if kind == "autoincrement" else ""
            yield _key(namer, given, "key integer", f"INTEGER PRIMARY KEY{more}")  # fmt: skip


def _key(namer: Namer, given: set[str], kind: str, rest: str) -> Column:
    name = namer.column(given)
    return Column(name=name, kind=kind, text=f"{quoted(name)} {rest}")


def _plain(chance: Random, namer: Namer, given: set[str]) -> Column:
    kind = chance.choice(list(KINDS))
    name = namer.column(given)
    text = f"{quoted(name)} {chance.choice(KINDS[kind].declared)}"
    text += chance.choice(("", "", " NOT NULL"))
    if kind == "text":
        text += chance.choice(("", "", "", " COLLATE NOCASE", " COLLATE RTRIM"))
    if KINDS[kind].defaults and chance.random() < 0.4:
        text += f" DEFAULT {chance.choice(KINDS[kind].defaults)}"
    if KINDS[kind].checks and chance.random() < 0.3:
        named = f" CONSTRAINT {quoted('ck ' + name)}" if chance.random() < 0.3 else ""
        text += f"{named} CHECK ({chance.choice(KINDS[kind].checks).replace('{}', quoted(name))})"
    if chance.random() < 0.08:
        text += " UNIQUE"
    return Column(name=name, kind=kind, text=text, dirt=chance.choice(_DIRT))


def _strict(column: Column) -> Column:
    """The same in a STRICT table, which knows six types and no dirt."""
    declared = {
        "integer": "INTEGER",
        "epoch": "INTEGER",
        "boolean": "INT",
        "real": "REAL",
        "bytes": "BLOB",
    }
    spelled = declared.get(column.kind, "ANY" if column.kind in ("anything", "decimal") else "TEXT")
    return Column(name=column.name, kind=column.kind, text=f"{quoted(column.name)} {spelled}")


def _retyped(column: Column) -> Column:
    """A key or generated column with a type that STRICT knows."""
    start = len(quoted(column.name))
    rest = column.text[start:].replace("VARCHAR(30)", "TEXT")
    rest = rest.replace(" BOOLEAN ", " ANY ").replace(" DATE ", " ANY ")
    return replace(column, text=column.text[:start] + rest)


def _references(
    chance: Random, namer: Namer, given: set[str], earlier: list[Table]
) -> Iterator[Column]:
    for parent in chance.sample(earlier, min(len(earlier), chance.choice((0, 1, 1, 2)))):
        if len(parent.key) != 1:
            continue
        name = namer.column(given)
        whole = chance.choice((f" ({quoted(parent.key[0])})", ""))
        reference = f"REFERENCES {quoted(parent.name)}{whole}{chance.choice(_ACTIONS)}{chance.choice(_DEFERRAL)}"
        kind = parent.columns[0].kind.replace("key", "reference")
        declared = "INTEGER" if kind.endswith("integer") else "TEXT"
        yield Column(name=name, kind=kind, text=f"{quoted(name)} {declared} {reference}", dirt=chance.choice(_DIRT))  # fmt: skip


_RULES = (
    ("text", "length({0})", ""),
    ("text", "upper({0})", "TEXT"),
    ("text", "substr({0}, 1, 3) || '…'", "TEXT"),
    ("text", "coalesce({0}, 'none')", "TEXT"),
    ("integer", "{0} % 7", "INTEGER"),
    ("integer", "CASE WHEN {0} > 0 THEN 'plus' WHEN {0} < 0 THEN 'minus' ELSE 'zero' END", "TEXT"),
    ("real", "{0} * 2", "REAL"),
    ("real", "round({0}, 2)", "REAL"),
    ("boolean", "NOT {0}", "BOOLEAN"),
    ("moment", "date({0})", "DATE"),
    ("document", "json_extract({0}, '$.n')", ""),
)


def _generated(
    chance: Random, namer: Namer, given: set[str], plain: list[Column]
) -> Iterator[Column]:
    if chance.random() > 0.4:
        return
    fitting = [(c, rule) for c in plain for rule in _RULES if rule[0] == c.kind and not c.dirt]
    for column, (_, rule, declared) in chance.sample(fitting, min(len(fitting), 2)):
        name = namer.column(given)
        where = chance.choice(("STORED", "VIRTUAL", ""))
        text = f"{quoted(name)} {declared or 'ANY'} GENERATED ALWAYS AS ({rule.format(quoted(column.name))}) {where}"
        yield Column(name=name, kind="generated", text=text, fillable=False)


def _table_rules(
    chance: Random, key_kind: str, key: tuple[str, ...], plain: list[Column], name: str
) -> list[str]:
    rules = []
    if key_kind in ("pair", "bare"):
        rules.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    if len(plain) >= 2 and chance.random() < 0.25:
        two = chance.sample(plain, 2)
        named = f"CONSTRAINT {quoted('uq_' + name)} " if chance.random() < 0.5 else ""
        conflict = chance.choice(("", "", "", " ON CONFLICT IGNORE"))
        rules.append(f"{named}UNIQUE ({', '.join(quoted(c.name) for c in two)}){conflict}")
    numbers = [c for c in plain if c.kind == "integer" and not c.dirt]
    if len(numbers) >= 2 and chance.random() < 0.5:
        one, other = numbers[:2]
        rules.append(
            f"CHECK ({quoted(one.name)} <> {quoted(other.name)} OR {quoted(one.name)} IS NULL)"
        )
    return rules


def _value(chance: Random, column: Column, row: int) -> Value:
    match column.kind:
        case "key integer":
            return row * chance.choice((1, 1, 1, 3))
        case "key text":
            return f"{chance.choice(('k', 'K', 'key-', 'ñ'))}{row}"
        case "reference integer" | "reference text":
            if chance.random() < 0.2:
                return None
            orphan = chance.random() < column.dirt / 4
            number = row + 10**6 if orphan else chance.randint(1, 10)
            return number if column.kind.endswith("integer") else f"k{number}"
    kind = KINDS[column.kind]
    if chance.random() < column.dirt:
        return chance.choice(kind.dirt)
    return None if chance.random() < 0.06 else kind.make(chance, row)
