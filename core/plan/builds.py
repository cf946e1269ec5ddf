"""Keys, indexes, checks, foreign keys and sequences: what is built once the rows are in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.dialect import Untranslatable, condition
from core.plan.ddl import qualified
from core.plan.fates import lost
from core.plan.generated import generated_builds
from core.plan.indexes import index_build, is_collated
from core.plan.model import Build, BuildKind, Fate, ObjectFate, TablePlan
from core.plan.places import places
from core.plan.site import Built, Site, columns_of, said_anew
from core.schema.model import Check, ForeignKey
from core.schema.names import fold
from core.source.rows import quoted
from core.values import types


def table_builds(site: Site) -> Iterator[Built]:
    """Everything of one table but its foreign keys: a build for what can be
    carried, a fate for what cannot."""
    yield from generated_builds(site)
    yield from _primary_key(site)
    for index in site.table.indexes:
        if index.origin != "primary":
            yield index_build(site, index)
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
        sql=f"ALTER TABLE {site.target} ADD CONSTRAINT {quoted(name)} PRIMARY KEY"
        f" ({site.columns(columns)})",
        fate=site.fate("primary_key", wanted),
        terms=tuple((column, "") for column in columns),
    )
    index = next((i for i in site.table.indexes if i.origin == "primary"), None)
    if index is not None and any(is_collated(site, term) for term in index.terms):
        # The key itself compares with case: this index keeps SQLite's comparison.
        yield index_build(site, index)


# --- sequences --------------------------------------------------------------------


def _sequence(site: Site) -> Iterator[Built]:
    column = next((c for c in site.plan.columns if c.identity), None)
    if column is None:
        return
    highest = site.census.columns[column.source].integer_max or 0
    last = max(highest, site.plan.last_sequence or 0)
    name = f"{site.plan.name}.{column.source}"
    sequence = f"pg_get_serial_sequence({_text(site.target)}, {_text(column.target)})"
    value, used = (last, "true") if last >= 1 else (1, "false")
    yield Build(
        kind=BuildKind.SEQUENCE,
        name=name,
        table=site.plan.name,
        sql=f"SELECT setval({sequence}, {value}, {used})",
        fate=site.fate("sequence", name),
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
        f"FOREIGN KEY ({site.columns(key.columns)}) REFERENCES "
        f"{qualified(site.schema, parent.target)} ({columns_of(parent, key.parent_columns)})"
        f" ON UPDATE {key.on_update} ON DELETE {key.on_delete}{_deferral(key)} NOT VALID"
    )
    return Build(
        kind=BuildKind.FOREIGN_KEY,
        name=name,
        table=site.plan.name,
        sql=f"ALTER TABLE {site.target} ADD CONSTRAINT {quoted(name)} {body}",
        validate=f"ALTER TABLE {site.target} VALIDATE CONSTRAINT {quoted(name)}",
        parent=parent.name,
        fate=_reference_fate(site, key, parent, shown, built),
    )


def _reference_fate(
    site: Site, key: ForeignKey, parent: TablePlan, shown: str, built: tuple[Build, ...]
) -> ObjectFate:
    """SQLite compares a reference as the parent's column does, PostgreSQL by its letters."""
    wanted = set(map(fold, key.parent_columns))
    keys = (b.collated for b in built if b.is_unique and b.table == parent.name)
    fate = site.fate("foreign_key", shown)
    if not any(wanted & set(map(fold, columns)) for columns in keys):
        return fate
    facts = {"parent": parent.name}
    return replace(fate, fate=Fate.REWRITTEN, reason="reference_by_letters", facts=facts)


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
        said = condition(check.expression, places(site.table, site.plan, site.census))
    except Untranslatable as refused:
        reason, original = "check", check.expression
        return lost("check", shown, site.plan.name, reason, original=original, detail=str(refused))
    name = site.names.give(check.name or f"{site.plan.target}_{check.column or 'row'}_check")
    add = f"ALTER TABLE {site.target} ADD CONSTRAINT {quoted(name)} CHECK ({said}) NOT VALID"
    fate = site.fate("check", shown, original=check.expression)
    return Build(
        kind=BuildKind.CHECK,
        name=name,
        table=site.plan.name,
        sql=add,
        fate=said_anew(fate, check.expression, said),
        validate=f"ALTER TABLE {site.target} VALIDATE CONSTRAINT {quoted(name)}",
    )
