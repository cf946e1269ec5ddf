"""Keys, indexes, checks, foreign keys and sequences: what is built once the rows are in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from core.census import ColumnCensus, TableCensus
from core.dialect import COLLATIONS, Place, Places, Untranslatable, condition
from core.plan.ddl import listed, qualified
from core.plan.fates import lost
from core.plan.model import SPELLINGS, Build, BuildKind, Fate, ObjectFate, TablePlan
from core.plan.names import Names
from core.schema.model import Check, ForeignKey, Index, IndexTerm, Table
from core.schema.names import fold
from core.source.rows import quoted
from core.values import types


@dataclass(frozen=True)
class Site:
    """Where a table's objects are built: its schema, its plan, the other tables'
    plans by folded source name, the names already given, and what the table holds."""

    schema: str
    table: Table
    plan: TablePlan
    others: Mapping[str, TablePlan]
    names: Names
    census: TableCensus


Built = Build | ObjectFate


def table_builds(site: Site) -> Iterator[Built]:
    """Everything of one table but its foreign keys: a build for what can be
    carried, a fate for what cannot."""
    yield from _primary_key(site)
    for index in site.table.indexes:
        if index.origin != "primary":
            yield _index(site, index)
    for check in site.table.checks:
        yield _check(site, check)
    yield from _sequence(site)


def foreign_key_builds(site: Site, built: tuple[Build, ...]) -> Iterator[Built]:
    """The table's foreign keys; ``built`` are the keys of all tables."""
    for key in site.table.foreign_keys:
        yield _foreign_key(site, key, built)


# --- primary keys ---------------------------------------------------------------


def _primary_key(site: Site) -> Iterator[Built]:
    columns = site.table.primary_key
    if not columns:
        return
    wanted = site.table.primary_key_name or f"{site.plan.target}_pkey"
    name = site.names.give(wanted)
    yield Build(
        kind=BuildKind.PRIMARY_KEY,
        name=name,
        table=site.plan.name,
        sql=f"ALTER TABLE {_target(site)} ADD CONSTRAINT {quoted(name)} PRIMARY KEY"
        f" ({_columns(site, columns)})",
        fate=_fate(site, "primary_key", wanted),
        terms=tuple((column, "") for column in columns),
    )
    index = next((i for i in site.table.indexes if i.origin == "primary"), None)
    if index is not None and any(_is_collated(site, term) for term in index.terms):
        # The key itself compares with case: this index keeps SQLite's comparison.
        yield _index(site, index)


# --- indexes and uniques ----------------------------------------------------------


def _index(site: Site, index: Index) -> Built:
    kind = "unique" if index.unique else "index"
    shown = index.constraint or (
        index.name if index.origin == "index" else _unique_name(site, index)
    )
    if reason := _why_not(site, index):
        return lost(kind, shown, site.plan.name, reason, original=index.sql or "")
    try:
        where = "" if index.where is None else condition(index.where, _places(site))
    except Untranslatable as refused:
        reason, detail = "partial_index", str(refused)
        original = index.sql or ""
        return lost(kind, shown, site.plan.name, reason, original=original, detail=detail)
    return _planned_index(site, index, kind, shown, where)


def _planned_index(site: Site, index: Index, kind: str, shown: str, where: str) -> Build:
    collated = any(_is_collated(site, term) for term in index.terms)
    name = site.names.give(shown)
    if index.origin == "unique" and not collated:
        sql = f"ALTER TABLE {_target(site)} ADD CONSTRAINT {quoted(name)} UNIQUE ({_terms(site, index)})"
    else:
        unique = "UNIQUE " if index.unique else ""
        sql = f"CREATE {unique}INDEX {quoted(name)} ON {_target(site)} ({_terms(site, index)})"
        sql += f" WHERE {where}" if where else ""
    fate = _fate(site, kind, shown, collated=collated, original=index.sql or "")
    if fate.fate is Fate.CARRIED and index.where is not None:
        fate = _said(fate, index.where, where)
    return Build(
        kind=BuildKind.UNIQUE if index.unique else BuildKind.INDEX,
        name=name,
        table=site.plan.name,
        sql=sql,
        fate=fate,
        terms=tuple((t.column or "", _kept_collation(site, t)) for t in index.terms),
        where=where,
    )


def _unique_name(site: Site, index: Index) -> str:
    columns = "_".join(term.column or "expression" for term in index.terms)
    return f"{site.plan.target}_{columns}_key"


def _why_not(site: Site, index: Index) -> str:
    planned = {column.source for column in site.plan.columns}
    for term in index.terms:
        if term.column is None:
            return "expression_index"
        if term.column not in planned:
            return "column_not_carried"
        if (term.collation or "BINARY").upper() not in ("BINARY", *COLLATIONS):
            return "custom_collation"
        if site.plan.column(term.column).type.name == types.JSON:
            return "json_not_comparable"
    return ""


def _is_collated(site: Site, term: IndexTerm) -> bool:
    """Whether the term compares text in a way that takes an expression here."""
    if term.column is None or (term.collation or "BINARY").upper() not in COLLATIONS:
        return False
    return any(c.source == term.column and c.type.name in types.TEXTS for c in site.plan.columns)


def _kept_collation(site: Site, term: IndexTerm) -> str:
    return (term.collation or "").upper() if _is_collated(site, term) else ""


def _terms(site: Site, index: Index) -> str:
    plain = index.origin == "unique" and not any(_is_collated(site, t) for t in index.terms)
    return ", ".join(_term(site, term, directed=not plain) for term in index.terms)


def _term(site: Site, term: IndexTerm, *, directed: bool) -> str:
    assert term.column is not None
    text = quoted(site.plan.column(term.column).target)
    if collation := _kept_collation(site, term):
        text = f"({COLLATIONS[collation].format(text)})"
    return f"{text} DESC" if directed and term.descending else text


# --- sequences --------------------------------------------------------------------


def _sequence(site: Site) -> Iterator[Built]:
    column = next((c for c in site.plan.columns if c.identity), None)
    if column is None:
        return
    highest = site.census.columns[column.source].integer_max or 0
    last = max(highest, site.plan.last_sequence or 0)
    name = f"{site.plan.name}.{column.source}"
    sequence = f"pg_get_serial_sequence({_text(_target(site))}, {_text(column.target)})"
    value, used = (last, "true") if last >= 1 else (1, "false")
    yield Build(
        kind=BuildKind.SEQUENCE,
        name=name,
        table=site.plan.name,
        sql=f"SELECT setval({sequence}, {value}, {used})",
        fate=_fate(site, "sequence", name),
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# --- foreign keys -----------------------------------------------------------------


def _foreign_key(site: Site, key: ForeignKey, built: tuple[Build, ...]) -> Built:
    shown = key.name or f"{site.plan.target}_{'_'.join(key.columns)}_fkey"
    parent = site.others.get(fold(key.parent))
    if reason := _why_no_reference(site, key, parent):
        return lost("foreign_key", shown, site.plan.name, reason, parent=key.parent)
    assert parent is not None
    if not _has_key(parent, key, built):
        return lost("foreign_key", shown, site.plan.name, "parent_not_unique", parent=key.parent)
    name = site.names.give(shown)
    body = (
        f"FOREIGN KEY ({_columns(site, key.columns)}) REFERENCES "
        f"{qualified(site.schema, parent.target)} ({_planned(parent, key.parent_columns)})"
        f" ON UPDATE {key.on_update} ON DELETE {key.on_delete}{_deferral(key)} NOT VALID"
    )
    return Build(
        kind=BuildKind.FOREIGN_KEY,
        name=name,
        table=site.plan.name,
        sql=f"ALTER TABLE {_target(site)} ADD CONSTRAINT {quoted(name)} {body}",
        validate=f"ALTER TABLE {_target(site)} VALIDATE CONSTRAINT {quoted(name)}",
        parent=parent.name,
        fate=_fate(site, "foreign_key", shown),
    )


def _why_no_reference(site: Site, key: ForeignKey, parent: TablePlan | None) -> str:
    if parent is None:
        return "parent_missing"
    if not key.parent_columns or len(key.columns) != len(key.parent_columns):
        return "parent_key_mismatch"
    for child, referred in zip(key.columns, key.parent_columns, strict=True):
        own = next((c for c in site.plan.columns if fold(c.source) == fold(child)), None)
        other = next((c for c in parent.columns if fold(c.source) == fold(referred)), None)
        if own is None or other is None:
            return "parent_key_mismatch"
        same_text = own.type.name in types.TEXTS and other.type.name in types.TEXTS
        if own.type.name != other.type.name and not same_text:
            return "types_differ"
    return ""


def _has_key(parent: TablePlan, key: ForeignKey, built: tuple[Build, ...]) -> bool:
    """Whether the parent will have a plain unique key on the columns referred to."""
    wanted = sorted(map(fold, key.parent_columns))
    keys = (b.key for b in built if b.table == parent.name)
    return any(sorted(map(fold, columns)) == wanted for columns in keys)


def _deferral(key: ForeignKey) -> str:
    if not key.deferrable:
        return ""
    return " DEFERRABLE INITIALLY DEFERRED" if key.initially_deferred else " DEFERRABLE"


# --- checks ---------------------------------------------------------------------------


def _check(site: Site, check: Check) -> Built:
    shown = check.name or f"{site.table.name}: {check.expression}"
    try:
        said = condition(check.expression, _places(site))
    except Untranslatable as refused:
        reason, original = "check", check.expression
        return lost("check", shown, site.plan.name, reason, original=original, detail=str(refused))
    name = site.names.give(check.name or f"{site.plan.target}_{check.column or 'row'}_check")
    add = f"ALTER TABLE {_target(site)} ADD CONSTRAINT {quoted(name)} CHECK ({said}) NOT VALID"
    fate = _fate(site, "check", shown, original=check.expression)
    return Build(
        kind=BuildKind.CHECK,
        name=name,
        table=site.plan.name,
        sql=add,
        fate=_said(fate, check.expression, said),
        validate=f"ALTER TABLE {_target(site)} VALIDATE CONSTRAINT {quoted(name)}",
    )


def _said(fate: ObjectFate, condition: str, said: str) -> ObjectFate:
    """The fate of an object whose condition is said in these words."""
    if _squeezed(said) == _squeezed(condition):
        return fate
    return replace(fate, fate=Fate.REWRITTEN, reason="said_anew", facts={"sql": said})


def _places(site: Site) -> Places:
    """What the table's columns have become."""
    columns = {column.source: column for column in site.plan.columns}
    return Places(
        (
            Place(
                source=column.name,
                target=columns[column.name].target,
                conversion=columns[column.name].conversion,
                affinity=column.affinity,
                collation=column.collation or "BINARY",
                spelling=_one_way(columns[column.name].spelling),
                most=_most(site.census.columns[column.name]),
                is_finite=site.census.columns[column.name].reals_infinite == 0,
            )
            for column in site.table.columns
            if column.name in columns
        ),
        others=(column.name for column in site.table.columns),
        table=site.table.name,
    )


def _most(column: ColumnCensus) -> int:
    """How large its largest integer is, without sign; 0 for none."""
    return max(abs(column.integer_min or 0), abs(column.integer_max or 0))


def _one_way(spelling: str) -> str:
    return "" if SPELLINGS in spelling else spelling


def _squeezed(sql: str) -> str:
    """Without what only divides or quotes."""
    return re.sub(r'[\s"()`\[\]]', "", sql).replace("==", "=").lower()


# --- words shared by all ------------------------------------------------------------


def _target(site: Site) -> str:
    return qualified(site.schema, site.plan.target)


def _columns(site: Site, names: tuple[str, ...]) -> str:
    return _planned(site.plan, names)


def _planned(plan: TablePlan, names: tuple[str, ...]) -> str:
    folded = {fold(c.source): c.target for c in plan.columns}
    return listed(folded[fold(name)] for name in names)


def _fate(
    site: Site, kind: str, name: str, *, collated: bool = False, original: str = ""
) -> ObjectFate:
    return ObjectFate(
        kind=kind,
        name=name,
        table=site.plan.name,
        fate=Fate.REWRITTEN if collated else Fate.CARRIED,
        reason="index_collation" if collated else "",
        original=original,
    )
