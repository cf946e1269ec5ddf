"""Findings about tables: their keys, references, checks, sequences, widths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import apsw

from core.assess.looking import Look, Seen
from core.assess.making import finding
from core.assess.model import Finding
from core.census import TableCensus
from core.plan import Build, BuildKind, ColumnPlan, TablePlan
from core.schema.model import Check, Database, ForeignKey, Table
from core.schema.names import fold
from core.source.rows import KeyKind, Row, quoted, which
from core.values import types

BIGINT_MAX = 2**63 - 1
FAR_AHEAD = 1000
"""So many numbers unused behind a sequence are worth a word."""
INDEX_KEY_BYTES = 2704
"""What a B-tree of PostgreSQL takes at most of one key: a third of a page."""
ROW_BYTES = 8160
"""What PostgreSQL takes at most of one row in its own page."""
_ROW_HEAD, _OUT_OF_LINE = 24, 18
_FIXED = {
    types.BIGINT: 8,
    types.DOUBLE: 8,
    types.BOOLEAN: 1,
    types.DATE: 4,
    types.TIME: 8,
    types.TIMESTAMP: 8,
    types.TIMESTAMPTZ: 8,
    types.UUID: 16,
}


@dataclass(frozen=True)
class TableSite:
    """A carried table as it is declared, counted and planned. ``set_aside``: how many of its
    rows go into quarantine (those with two faults counted twice), ``aside``: their keys, or
    the first of them."""

    table: Table
    plan: TablePlan
    census: TableCensus
    builds: tuple[Build, ...]
    set_aside: int
    aside: tuple[Row, ...]


def table_findings(
    site: TableSite, sites: Mapping[str, TableSite], database: Database, look: Look
) -> Iterator[Finding]:
    """All findings about one table; ``sites`` are all of them by folded name."""
    name = site.plan.name
    if not site.table.primary_key and not any(b.is_unique for b in site.builds):
        yield finding("table.no_key", "table", name, table=name)
    yield from _sequence(site, database)
    yield from _width(site)
    for build in site.builds:
        yield from _index_key(site, build)
    yield from _checks(site, look)
    yield from _references(site, sites, look)


# --- sequences -------------------------------------------------------------------------


def _sequence(site: TableSite, database: Database) -> Iterator[Finding]:
    alias = site.table.rowid_alias
    if alias is None or alias not in site.census.columns:
        return
    highest = site.census.columns[alias].integer_max or 0
    last = next((s.last for s in database.sequences if s.table == site.plan.name), 0)
    facts = {"last": str(max(last, highest)), "highest": str(highest)}
    name = f"{site.plan.name}.{alias}"
    if max(last, highest) >= BIGINT_MAX:
        yield finding("sequence.at_end", "sequence", name, table=site.plan.name, facts=facts)
    elif last - highest >= FAR_AHEAD:
        yield finding("sequence.far_ahead", "sequence", name, table=site.plan.name, facts=facts)


# --- widths ----------------------------------------------------------------------------


def _width(site: TableSite) -> Iterator[Finding]:
    least = _ROW_HEAD + len(site.plan.columns) // 8 + sum(map(_bytes_in_row, site.plan.columns))
    if least > ROW_BYTES and site.plan.rows:
        name = site.plan.name
        facts = {"bytes": str(least), "most": str(ROW_BYTES)}
        yield finding(
            "table.row_too_wide", "table", name, table=name, facts=facts, rows=0, counts=True
        )


def _bytes_in_row(column: ColumnPlan) -> int:
    """What a column's longest value takes of its row when all that can lies elsewhere."""
    fixed = _FIXED.get(column.type.name)
    return fixed if fixed is not None else min(column.bytes_max + 1, _OUT_OF_LINE)


def _index_key(site: TableSite, build: Build) -> Iterator[Finding]:
    if build.kind not in (BuildKind.PRIMARY_KEY, BuildKind.UNIQUE, BuildKind.INDEX):
        return
    known = {c.source: c for c in site.plan.columns}
    columns = [known[name] for name, _ in build.terms if name in known]
    longest = sum(_FIXED.get(c.type.name, _bytes_at_most(site, c)) for c in columns)
    if longest > INDEX_KEY_BYTES:
        facts = {"bytes": str(longest), "most": str(INDEX_KEY_BYTES)}
        name = build.fate.name
        yield finding(
            "index.key_too_long",
            build.fate.kind,
            name,
            table=site.plan.name,
            facts=facts,
            counts=True,
        )


def _bytes_at_most(site: TableSite, column: ColumnPlan) -> int:
    return site.census.columns[column.source].bytes_max


# --- checks ----------------------------------------------------------------------------


def _checks(site: TableSite, look: Look) -> Iterator[Finding]:
    built = {b.fate.original: b for b in site.builds if b.kind is BuildKind.CHECK}
    for check in site.table.checks:
        build = built.get(check.expression)
        if build is None:
            continue
        seen = _breaking(site, check, look)
        if seen.rows:
            facts = {"check": check.expression}
            yield finding(
                "check.broken",
                "check",
                build.fate.name,
                table=site.plan.name,
                seen=seen,
                facts=facts,
                counts=True,
            )


def _breaking(site: TableSite, check: Check, look: Look) -> Seen:
    try:
        return look.where(site.plan, f"NOT ({check.expression})")
    except apsw.SQLError:  # a function that only the application has
        return Seen()


# --- references ------------------------------------------------------------------------


def _references(site: TableSite, sites: Mapping[str, TableSite], look: Look) -> Iterator[Finding]:
    """Foreign keys that will be made, and whose rows will not all hold."""
    built = [b for b in site.builds if b.kind is BuildKind.FOREIGN_KEY]
    for key in site.table.foreign_keys:
        build = _build_of(site, key, built)
        parent = sites.get(fold(key.parent))
        if build is None or parent is None:
            continue
        for finding_id, condition, facts in _unlike(site, key, build, parent):
            seen = look.where(site.plan, condition)
            if seen.rows:
                yield finding(
                    finding_id,
                    "foreign_key",
                    build.fate.name,
                    table=site.plan.name,
                    seen=seen,
                    facts={"parent": parent.plan.name} | facts,
                    counts=True,
                )
                break


def _unlike(
    site: TableSite, key: ForeignKey, build: Build, parent: TableSite
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """What may be the matter with rows that refer, the gravest first: a finding, the
    condition of its rows, and further facts."""
    yield "reference.orphans", _orphaned(site, key, parent), {}
    if build.fate.reason == "reference_by_letters":
        by_letters = _orphaned(site, key, parent, by=" COLLATE BINARY")
        yield "reference.in_other_letters", by_letters, {}
    if parent.set_aside:
        facts = {"set_aside": str(parent.set_aside)}
        yield "reference.set_aside", _to_rows_aside(site, key, parent), facts


def _build_of(site: TableSite, key: ForeignKey, built: list[Build]) -> Build | None:
    """The build that makes ``key``, known by its name as the plan shows it."""
    shown = key.name or f"{site.plan.target}_{'_'.join(key.columns)}_fkey"
    return next((b for b in built if b.fate.name == shown), None)


def _orphaned(site: TableSite, key: ForeignKey, parent: TableSite, *, by: str = "") -> str:
    """The condition of rows that refer to no row, compared ``by`` another collation if one
    is named."""
    present, refers, source = _reference(site, key, parent, by)
    return f"{present} AND NOT EXISTS (SELECT 1 FROM {source} AS p WHERE {refers})"


def _to_rows_aside(site: TableSite, key: ForeignKey, parent: TableSite) -> str:
    """The condition of rows that refer to a row which goes into quarantine: to one of those
    whose keys are known, or, when there are too many to know, to any row."""
    present, refers, source = _reference(site, key, parent)
    is_known = parent.set_aside <= len(parent.aside) and not parent.plan.source.where
    if is_known and parent.plan.source.key.kind is KeyKind.ROWID:
        (rowid,) = parent.plan.source.key.columns
        keys = ", ".join(str(value) for (value,) in parent.aside)
        refers += f" AND p.{quoted(rowid)} IN ({keys})"
    return f"{present} AND EXISTS (SELECT 1 FROM {source} AS p WHERE {refers})"


def _reference(
    site: TableSite, key: ForeignKey, parent: TableSite, by: str = ""
) -> tuple[str, str, str]:
    """That a row refers to something, that it refers to the row ``p``, and where ``p`` is
    from; the parent's columns lead, as SQLite compares by their collation."""
    columns = [site.table.column(name).name for name in key.columns]
    child = quoted(site.plan.name)
    present = " AND ".join(f"{child}.{quoted(c)} IS NOT NULL" for c in columns)
    equal = " AND ".join(
        f"p.{quoted(parent.table.column(p).name)}{by} = {child}.{quoted(c)}"
        for c, p in zip(columns, key.parent_columns, strict=True)
    )
    if parent.plan.source.where:
        # A row that the filter passes over is not there to be referred to.
        kept = f"SELECT * FROM {quoted(parent.plan.name)}{which(parent.plan.source)}"
        return present, equal, f"({kept})"
    return present, equal, quoted(parent.plan.name)
