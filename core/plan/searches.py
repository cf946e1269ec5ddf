"""Full-text searches: as tables with a tsvector, as indexes, or listed; and all other
virtual tables, with their shadows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.plan.fates import lost
from core.plan.model import Build, BuildKind, Fate, ObjectFate
from core.plan.names import Names
from core.plan.site import Built, Site
from core.schema.model import Database, Table, TableKind
from core.schema.names import fold
from core.source.rows import quoted
from core.values import types

CONFIGURATION = "simple"
"""PostgreSQL's own division into words, of no language: the nearest to SQLite's."""
_VECTOR = "tsv"
_VOCABULARIES = ("fts5vocab", "fts3aux", "fts4aux", "fts3tokenize")
_TREES = ("rtree", "rtree_i32", "geopoly")


def search_items(database: Database, sites: Sequence[Site], names: Names) -> Iterator[Built]:
    """An index for each search whose text is carried, a fate for each of another sort."""
    by_name = {fold(site.table.name): site for site in sites}
    for table in database.tables:
        if table.search is None:
            continue
        if table.is_copied:
            if fold(table.name) in by_name:
                yield _own(by_name[fold(table.name)], names)
        elif _has_content(table):
            yield _of_content(table, by_name.get(fold(table.search.content or "")), names)


def indexed_searches(made: Iterable[Built]) -> Iterator[str]:
    """The searches whose text an index of its own table finds."""
    for item in made:
        if isinstance(item, Build) and item.fate.kind == "virtual_table":
            yield item.fate.name


def virtual_fates(
    database: Database, carried: Iterable[Table], builds: Iterable[Build]
) -> Iterator[ObjectFate]:
    """Virtual tables that are neither tables nor indexes here, and every shadow table."""
    kept = {table.name for table in carried} | set(indexed_searches(builds))
    for table in database.tables:
        if table.kind is TableKind.SHADOW:
            yield _shadow(table, database, kept)
        elif table.kind is TableKind.VIRTUAL and not table.is_copied and not _has_content(table):
            yield _listed(table)


def _has_content(table: Table) -> bool:
    """Whether it finds rows of another table, and so has its fate from :func:`search_items`."""
    return table.search is not None and bool(table.search.content)


def _listed(table: Table) -> ObjectFate:
    module = fold(table.module or "?")
    reason = "virtual"
    if table.search is not None:
        reason = "fts_contentless" if table.search.content == "" else "fts_unreadable"
    elif module in _TREES:
        reason = "rtree"
    elif module in _VOCABULARIES:
        reason = "fts_vocabulary"
    kind, shown = "virtual_table", table.module or "?"
    return lost(kind, table.name, "", reason, original=table.sql, module=shown)


def _shadow(table: Table, database: Database, kept: set[str]) -> ObjectFate:
    """A shadow table is called like the table that it belongs to, and a word after it."""
    owners = [
        other.name
        for other in database.tables
        if other.kind is TableKind.VIRTUAL and fold(table.name).startswith(f"{fold(other.name)}_")
    ]
    owner = max(owners, key=len, default="")
    if owner not in kept:
        return lost("shadow_table", table.name, "", "shadow", original=table.sql)
    return ObjectFate(
        kind="shadow_table",
        name=table.name,
        table=owner,
        fate=Fate.REWRITTEN,
        reason="shadow_of",
        facts={"table": owner},
        original=table.sql,
    )


# --- the two ways ------------------------------------------------------------------------


def _own(site: Site, names: Names) -> Built:
    """A search with rows of its own: a generated column holds their words."""
    table, target = site.table, site.target
    assert table.search is not None
    vector = Names(column.target for column in site.plan.columns).give(_VECTOR)
    name = names.give(f"{site.plan.target}_{vector}_idx")
    words = _words(site, table.search.columns)
    if not words:
        return lost("search", table.name, table.name, "fts_unreadable", module=table.module or "")
    add = f"ADD COLUMN {quoted(vector)} tsvector GENERATED ALWAYS AS ({words}) STORED"
    return Build(
        kind=BuildKind.SEARCH,
        name=name,
        table=table.name,
        sql=f"ALTER TABLE {target} {add};\n"
        f"CREATE INDEX {quoted(name)} ON {target} USING gin ({quoted(vector)})",
        fate=_fate(table, "search", table.name, f"{vector} @@ to_tsquery('{CONFIGURATION}', …)"),
    )


def _of_content(table: Table, site: Site | None, names: Names) -> Built:
    """A search of another table's rows: an index on that table finds them."""
    assert table.search is not None
    content = table.search.content or ""
    words = _words(site, table.search.columns) if site is not None else ""
    if site is None or not words:
        kind, module = "virtual_table", table.module or ""
        reason = "fts_content"
        return lost(
            kind, table.name, "", reason, original=table.sql, module=module, content=content
        )
    name = names.give(table.name)
    return Build(
        kind=BuildKind.SEARCH,
        name=name,
        table=site.table.name,
        sql=f"CREATE INDEX {quoted(name)} ON {site.target} USING gin (({words}))",
        fate=_fate(
            table, "virtual_table", site.table.name, f"{words} @@ to_tsquery('{CONFIGURATION}', …)"
        ),
    )


def _fate(table: Table, kind: str, on: str, search: str) -> ObjectFate:
    assert table.search is not None
    return ObjectFate(
        kind=kind,
        name=table.name,
        table=on,
        fate=Fate.REWRITTEN,
        reason="fts_index",
        facts={"search": search, "tokenizer": table.search.tokenizer},
        original=table.sql,
    )


def _words(site: Site, columns: Sequence[str]) -> str:
    """The words of the columns as a tsvector; '' when one of them is not here, or no text."""
    planned = {fold(column.source): column for column in site.plan.columns}
    said: list[str] = []
    for name in columns:
        column = planned.get(fold(name))
        if column is None or column.type.name not in (*types.TEXTS, types.BIGINT):
            return ""
        text = quoted(column.target)
        text += "::text" if column.type.name == types.BIGINT else ""
        said.append(f"coalesce({text}, '')")
    joined = " || ' ' || ".join(said)
    return f"to_tsvector('{CONFIGURATION}', {joined})" if said else ""
