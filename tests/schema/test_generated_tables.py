"""Any CREATE TABLE is read back as it was meant, whatever its names, clauses and comments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from core.schema import (
    Check,
    Column,
    ConflictClause,
    Default,
    ForeignKey,
    Generated,
    affinity,
    fold,
    read_sqlite,
)

ODD = ['"', "`", "[", "]", "(", ")", ".", ",", ";", "--", "'", "%", "/*", "\n", " ", "a", "B", "as"]
ODD += ["\u00e9", "\u00c9", "\u212a", "\U0001f600", "\u00a0"]
WORDS = ["select", "check", "rowid", "_ROWID_", "oid", "constraint", "x" * 70, "generated", ""]
NAME = st.lists(st.sampled_from(ODD), min_size=1, max_size=5).map("".join) | st.sampled_from(WORDS)
NOISE = st.sampled_from([" ", "\n\t", " /* , ) ' CHECK( */ ", ' -- ) " DEFAULT\n'])
TYPE = st.sampled_from(
    [
        "",
        "INTEGER",
        "INT",
        "TEXT",
        "VARCHAR(10)",
        "DECIMAL(10, 2)",
        "DOUBLE PRECISION",
        "unsigned  big int",
        "BLOB",
        "DATETIME",
        "ANY",
        "KEY",
        "[odd, (type)]",
    ]
)
DEFAULT = st.sampled_from(
    [
        ("0", True),
        ("-1.5e3", True),
        ("'a,)''b'", True),
        ("(NULL)", True),
        ("x'00ff'", True),
        ("CURRENT_TIMESTAMP", False),
        ("(1 + (2))", False),
        ("(coalesce(NULL, ')'))", False),
    ]
)
CONDITION = st.sampled_from(["1", "1 IN (1, 2)", "'CHECK(' <> ')'", "(1) OR (0)", "1 /* ) */ > 0"])
COLLATION = st.sampled_from(
    [("", None), ("COLLATE NoCase", "NOCASE"), ("COLLATE [rtrim]", "RTRIM")]
)
CONFLICT = st.sampled_from(["", "", "ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"])
ACTION = st.sampled_from(["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"])
DEFERRAL = st.sampled_from(
    [
        ("", False, False),
        ("DEFERRABLE", True, False),
        ("DEFERRABLE INITIALLY DEFERRED", True, True),
        ("NOT DEFERRABLE INITIALLY DEFERRED", False, False),
    ]
)


@dataclass
class Draft:
    """A table that grows clause by clause: the SQL in ``items``, its meaning beside it."""

    draw: DrawFn
    names: list[str]
    items: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    conflicts: list[ConflictClause] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    primary_key_name: str | None = None

    def quoted(self, name: str) -> str:
        kinds = ['"' + name.replace('"', '""') + '"', "`" + name.replace("`", "``") + "`"]
        kinds += [] if "]" in name else [f"[{name}]"]
        kinds += [name] if name in ("a", "B", "rowid", "generated", "\u00e9", "\u00a0") else []
        return self.draw(st.sampled_from(kinds))

    def listed(self, names: tuple[str, ...]) -> str:
        return "(" + ", ".join(self.quoted(name) for name in names) + ")"

    def name_clause(self) -> tuple[str, str | None]:
        if self.draw(st.booleans()):
            return "", None
        name = self.draw(NAME)
        return f"CONSTRAINT {self.quoted(name)}", name

    def conflict_clause(self, constraint: str, columns: tuple[str, ...]) -> str:
        action = self.draw(CONFLICT)
        if not action:
            return ""
        self.conflicts.append(ConflictClause(constraint=constraint, columns=columns, action=action))
        return f"ON CONFLICT {action}"

    def check_clauses(self, column: str | None) -> list[str]:
        clause, name = self.name_clause()
        condition = self.draw(CONDITION)
        self.checks.append(Check(name=name, expression=condition, column=column))
        return [clause, "CHECK", f"( {condition} /* ( */ )"]

    def reference_clauses(self, columns: tuple[str, ...], start: str) -> list[str]:
        clause, name = self.name_clause()
        parent = "p" + self.draw(NAME)
        parent_columns = columns if self.draw(st.booleans()) else ()
        on_update, on_delete = self.draw(ACTION), self.draw(ACTION)
        deferral, deferrable, initially_deferred = self.draw(DEFERRAL)
        self.foreign_keys.append(
            ForeignKey(
                name=name,
                columns=columns,
                parent=parent,
                parent_columns=parent_columns,
                on_update=on_update,
                on_delete=on_delete,
                deferrable=deferrable,
                initially_deferred=initially_deferred,
            )
        )
        target = self.quoted(parent) + (self.listed(parent_columns) if parent_columns else "")
        actions = [f"ON UPDATE {on_update}", f"ON DELETE {on_delete}"]
        return [clause, start, "REFERENCES", target, *actions, deferral]

    def add_column(self, name: str) -> None:
        declared_type = self.draw(TYPE)
        collate, collation = self.draw(COLLATION)
        column = Column(
            name=name,
            declared_type=declared_type.strip("[]"),
            affinity=affinity(declared_type),
            collation=collation,
            not_null=self.draw(st.booleans()),
        )
        clauses = [self.quoted(name), declared_type, collate]
        if column.not_null:
            clauses += ["NOT", "NULL", self.conflict_clause("NOT NULL", (name,))]
        if self.columns and self.draw(st.integers(0, 3)) == 0:
            column = replace(column, **self.generation(clauses))
        elif self.draw(st.booleans()):
            written, literal = self.draw(DEFAULT)
            meant = written[1:-1] if written.startswith("(") else written
            column = replace(column, default=Default(expression=meant, literal=literal))
            clauses += ["DEFAULT", written]
        if self.draw(st.booleans()):
            clauses += self.check_clauses(name)
        if self.draw(st.booleans()):
            clauses += self.reference_clauses((name,), "")
        self.columns.append(column)
        self.add_item(clauses)

    def generation(self, clauses: list[str]) -> dict[str, object]:
        rule = f"coalesce({self.quoted(self.names[0])}, ')')"
        generated = self.draw(st.sampled_from(Generated))
        # Right after a type SQLite takes the words for part of it, comments between included.
        after_type = clauses[1] and not any(clauses[2:])
        always = "" if after_type else self.draw(st.sampled_from(["", "GENERATED ALWAYS"]))
        clauses += [always, "AS", f"( {rule} /* ) */)", generated.value]
        return {"generated": generated, "generation_expression": rule}

    def add_primary_key(self) -> None:
        able = [column.name for column in self.columns if column.generated is None]
        key = tuple(self.draw(st.permutations(able)))[: self.draw(st.integers(1, 2))]
        clause, self.primary_key_name = self.name_clause()
        self.primary_key = key
        conflict = self.conflict_clause("PRIMARY KEY", key)
        self.add_item([clause, "PRIMARY", "KEY", self.listed(key), conflict])

    def add_constraint(self) -> None:
        if self.draw(st.booleans()):
            self.add_item([*self.check_clauses(None), self.conflict_clause("CHECK", ())])
        else:
            columns = tuple(self.draw(st.permutations(self.names)))[: self.draw(st.integers(1, 3))]
            self.add_item(self.reference_clauses(columns, f"FOREIGN KEY {self.listed(columns)}"))

    def add_item(self, clauses: list[str]) -> None:
        self.items.append("".join(c + self.draw(NOISE) for c in clauses if c))

    def rowid_alias(self) -> str | None:
        if len(self.primary_key) != 1:
            return None
        (column,) = (c for c in self.columns if c.name == self.primary_key[0])
        return column.name if column.declared_type == "INTEGER" else None


@st.composite
def drafts(draw: DrawFn) -> Draft:
    draft = Draft(draw, draw(st.lists(NAME, min_size=1, max_size=4, unique_by=fold)))
    for name in draft.names:
        draft.add_column(name)
    if draw(st.booleans()):
        draft.add_primary_key()
    for _ in range(draw(st.integers(0, 3))):
        draft.add_constraint()
    return draft


@settings(deadline=None)
@given(drafts(), NAME, st.booleans())
def test_a_table_is_read_back_as_it_was_meant(draft: Draft, name: str, utf16: bool) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f"PRAGMA encoding = '{'UTF-16le' if utf16 else 'UTF-8'}'")
    connection.execute(f"CREATE TABLE {draft.quoted(name)}({', '.join(draft.items)})")
    reading = read_sqlite(connection)
    assert reading.notes == ()
    (table,) = reading.database.tables
    alias = draft.rowid_alias()
    assert table.name == name
    assert tuple(replace(column, comment="") for column in table.columns) == tuple(
        replace(column, not_null=column.not_null or column.name == alias)
        for column in draft.columns
    )
    assert table.checks == tuple(draft.checks)
    assert table.foreign_keys == tuple(draft.foreign_keys)
    assert table.conflict_clauses == tuple(draft.conflicts)
    assert (table.primary_key, table.primary_key_name) == (
        draft.primary_key,
        draft.primary_key_name,
    )
    assert table.rowid_alias == alias
