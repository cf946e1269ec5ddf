"""Rows: each one of the source is carried, damaged, lost, set aside or listed, and nothing
else is in the target.

Rows are matched whole first, as multisets of what their values mean; what is left over is
matched by its key, where the table has one, and compared value by value. A row whose key
has changed too counts as damaged, once, as far as the target has a row that nobody else
accounts for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import apsw

from benchmarks.scoreboard.comparer.meaning import Stored, Text, Value, arrived, same, wanted
from benchmarks.scoreboard.comparer.sides import Sides
from benchmarks.scoreboard.comparer.source import Row, Table, quoted
from benchmarks.scoreboard.comparer.target import Column
from benchmarks.scoreboard.comparer.verdict import Defect, Rows

_MOST_PAIRS = 1000


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One table: its rows, what is wrong, and the rows that the tool set aside."""

    rows: Rows
    defects: tuple[Defect, ...] = ()
    aside: tuple[Row, ...] = ()


def compare(sides: Sides, table: Table) -> Compared:
    """One table's rows on both sides."""
    try:
        table, rows = _read(sides, table)
    except apsw.Error as refused:
        return _unread(sides, table, str(refused))
    relation = sides.relation(table.name)
    if relation is None or relation.kind not in "rp":
        return _absent(sides, table, len(rows))
    shared = _shared(sides, table)
    found = sides.target.rows(relation.name, list(shared.columns))
    here = Counter(map(shared.arrived, found))
    kept, aside, ghosts = _without_rejected(sides, table, rows, lambda r: shared.wanted(r) in here)
    compared = _both(table, shared, kept, found)
    if ghosts:
        ghost = _defect(table, "rejects that are no rows", f"{ghosts}")
        compared = replace(compared, defects=(*compared.defects, ghost))
    counted = replace(compared.rows, source=len(rows), rejected=len(aside))
    return replace(compared, rows=_less_rejected(sides, table, counted), aside=tuple(aside))


def _read(sides: Sides, table: Table) -> tuple[Table, list[Row]]:
    """The table's rows; without its generated columns where SQLite cannot compute them."""
    try:
        return table, sides.source.rows(table)
    except apsw.Error:
        plain = replace(table, columns=tuple(c for c in table.columns if not c.generated))
        if plain == table:
            raise
        return plain, sides.source.rows(plain)


def _unread(sides: Sides, table: Table, why: str) -> Compared:
    """A table that SQLite itself cannot read: it has to be listed."""
    if sides.listing.says_of_table(table.name) or sides.listing.refused:
        return Compared(rows=Rows())
    return Compared(rows=Rows(), defects=(_defect(table, "unreadable, not listed", why),))


def _absent(sides: Sides, table: Table, count: int) -> Compared:
    listing = sides.listing
    if listing.refused or listing.says_of_table(table.name):
        return Compared(rows=Rows(source=count, listed=count))
    rows = _less_rejected(sides, table, Rows(source=count, lost=count))
    defects = (_defect(table, "no table", f"{count} rows"),) if rows.lost else ()
    return Compared(rows=rows, defects=defects)


def _less_rejected(sides: Sides, table: Table, rows: Rows) -> Rows:
    """Of the rows that are not there, as many as the tool counted among its rejects."""
    counts = sides.listing.rejected_rows
    said = counts.get(table.name, counts.get(table.name.lower(), 0))
    rejected = min(rows.lost, said)
    return replace(rows, lost=rows.lost - rejected, rejected=rows.rejected + rejected)


# --- what the tool set aside ----------------------------------------------------------------


def _without_rejected(
    sides: Sides, table: Table, rows: list[Row], is_there: Callable[[Row], bool]
) -> tuple[list[Row], list[Row], int]:
    """The rows that should be there, those set aside, and how many keys fit no row."""
    said = Counter(sides.listing.rejected.get(table.name, ()))
    if not said:
        return rows, [], 0
    of_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        key = next((k for k in _shown_keys(table, row) if k in said), None)
        if key is not None:
            of_key[key].append(row)
    aside = list[Row]()
    for key, several in of_key.items():
        if len(several) > said[key]:  # the key is shown alike: who is there was not set aside
            several.sort(key=is_there)
        aside += several[: said[key]]
    places = {row.place for row in aside}
    return [r for r in rows if r.place not in places], aside, said.total() - len(aside)


def _shown_keys(table: Table, row: Row) -> Iterator[str]:
    """How a tool may show the row's key: by rowid, else by primary key or place."""
    if row.rowid is not None:
        yield str(row.rowid)
        return
    places = {c.name: n for n, c in enumerate(table.columns)}
    if table.key:
        yield ", ".join(_shown(row.values[places[name]]) for name in table.key)
    yield str(row.place)


def _shown(value: Stored) -> str:
    match value:
        case None:
            return "NULL"
        case Text():
            try:
                text = value.decode()
            except UnicodeDecodeError:
                return f"CAST(x'{value.hex()}' AS TEXT)"[:200]
            return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[
                :200
            ]
        case bytes():
            return f"x'{value.hex()}'"[:200]
    return str(value)


# --- both sides -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """The columns that both sides have: their places in the source, and what they are."""

    places: tuple[int, ...]
    columns: tuple[Column, ...]
    absent: tuple[int, ...]

    def wanted(self, row: Row) -> tuple[Hashable, ...]:
        pairs = zip(self.places, self.columns, strict=True)
        return tuple(wanted(row.values[place], column.kind) for place, column in pairs)

    def arrived(self, row: tuple[Value, ...]) -> tuple[Hashable, ...]:
        return tuple(arrived(v, c.kind) for v, c in zip(row, self.columns, strict=True))

    def differing(self, row: Row, found: tuple[Value, ...]) -> list[str]:
        """The names of the columns in which two rows differ."""
        each = zip(self.places, self.columns, found, strict=True)
        return [c.name for place, c, value in each if not same(row.values[place], c.kind, value)]


def _shared(sides: Sides, table: Table) -> _Shared:
    found = [(place, sides.column(table.name, c.name)) for place, c in enumerate(table.columns)]
    return _Shared(
        places=tuple(place for place, column in found if column is not None),
        columns=tuple(column for _, column in found if column is not None),
        # A rule's values follow from the others: a lost rule is a lost object, no lost value.
        absent=tuple(p for p, column in found if column is None and not _excused(sides, table, p)),
    )


def _excused(sides: Sides, table: Table, place: int) -> bool:
    column = table.columns[place]
    name = f"{table.name}.{column.name}"
    return column.generated or sides.listing.says(("column",), table.name, name) is not None


def _both(
    table: Table, shared: _Shared, rows: list[Row], found: list[tuple[Value, ...]]
) -> Compared:
    left, right = _unmatched(shared, rows, found)
    carried = len(rows) - len(left)
    changed: Counter[str] = Counter()
    by_key = table.key and not table.virtual and _key_places(table, shared)
    left, right, pairs = (
        _by_key(shared, by_key, left, right) if by_key else _by_likeness(shared, left, right)
    )
    damaged = sum(bool(names) for names in pairs)
    carried += len(pairs) - damaged
    changed.update(name for names in pairs for name in names)
    both = min(len(left), len(right))
    defects = [_defect(table, f"values of {name}", f"{n} rows") for name, n in changed.items()]
    if both:
        defects.append(_defect(table, "rows differ", f"{both}"))
    counted = Rows(
        carried=carried,
        damaged=damaged + both,
        lost=len(left) - both,
        appeared=len(right) - both,
    )
    if counted.lost:
        defects.append(_defect(table, "rows lost", f"{counted.lost}"))
    if counted.appeared:
        defects.append(_defect(table, "rows that the source has not", f"{counted.appeared}"))
    return _less_absent(table, shared, rows, Compared(rows=counted, defects=tuple(defects)))


def _unmatched(
    shared: _Shared, rows: list[Row], found: list[tuple[Value, ...]]
) -> tuple[list[Row], list[tuple[Value, ...]]]:
    """What is left of both sides when equal rows are taken away in pairs."""
    here: Counter[Hashable] = Counter(map(shared.arrived, found))
    left = list[Row]()
    for row in rows:
        meaning = shared.wanted(row)
        if here[meaning] > 0:
            here[meaning] -= 1
        else:
            left.append(row)
    if not here.total():
        return left, []
    right = list[tuple[Value, ...]]()
    for each in found:
        meaning = shared.arrived(each)
        if here[meaning] > 0:
            here[meaning] -= 1
            right.append(each)
    return left, right


def _key_places(table: Table, shared: _Shared) -> tuple[int, ...]:
    """Where the key's columns stand among the shared ones; () when one is missing."""
    names = [table.columns[place].name for place in shared.places]
    return tuple(map(names.index, table.key)) if set(table.key) <= set(names) else ()


_Left = tuple[list[Row], list[tuple[Value, ...]], list[list[str]]]


def _by_key(
    shared: _Shared, key: tuple[int, ...], left: list[Row], right: list[tuple[Value, ...]]
) -> _Left:
    """Pairs of one key, each as the columns in which they differ, and what has no partner."""
    waiting: dict[Hashable, list[tuple[Value, ...]]] = defaultdict(list)
    for found in right:
        meant = shared.arrived(found)
        waiting[tuple(meant[place] for place in key)].append(found)
    alone, pairs = list[Row](), list[list[str]]()
    for row in left:
        meant = shared.wanted(row)
        partners = waiting.get(tuple(meant[place] for place in key))
        if partners:
            pairs.append(shared.differing(row, partners.pop()))
        else:
            alone.append(row)
    return alone, [found for rest in waiting.values() for found in rest], pairs


def _by_likeness(shared: _Shared, left: list[Row], right: list[tuple[Value, ...]]) -> _Left:
    """Pairs that are equal in a spelling that hashing does not see."""
    if len(left) * len(right) > _MOST_PAIRS**2:
        return left, right, []
    alone, pairs = list[Row](), list[list[str]]()
    for row in left:
        partner = next((f for f in right if not shared.differing(row, f)), None)
        if partner is None:
            alone.append(row)
        else:
            right.remove(partner)
            pairs.append([])
    return alone, right, pairs


def _less_absent(
    table: Table, shared: _Shared, rows: Iterable[Row], compared: Compared
) -> Compared:
    """Rows with a value in a column that the target has not are damaged."""
    names = [table.columns[place].name for place in shared.absent]
    short = sum(any(row.values[place] is not None for place in shared.absent) for row in rows)
    moved = min(short, compared.rows.carried)
    if not names:
        return compared
    counted = replace(
        compared.rows,
        carried=compared.rows.carried - moved,
        damaged=compared.rows.damaged + moved,
    )
    missing = [_defect(table, f"no column {name}", f"{short} rows") for name in names]
    return replace(compared, rows=counted, defects=(*compared.defects, *missing))


def _defect(table: Table, what: str, detail: str) -> Defect:
    return Defect(table=table.name, what=what, detail=detail)


def remove(sides: Sides, table: Table, rows: Iterable[Row]) -> None:
    """Take rows out of the judge's copy, so that views speak of the same rows on both sides."""
    places = {c.name: n for n, c in enumerate(table.columns)}
    for row in rows:
        key = [(name, row.values[places[name]]) for name in table.key]
        if row.rowid is not None:
            where, values = f"{quoted(cast('str', table.rowid))} = ?", [row.rowid]
        elif key:
            where = " AND ".join(f"{quoted(name)} IS {_mark(value)}" for name, value in key)
            values = [_bound(value) for _, value in key]
        else:
            continue
        sides.source.ask(f"DELETE FROM main.{quoted(table.name)} WHERE {where}", *values)


def _mark(value: Stored) -> str:
    return "CAST(? AS TEXT)" if isinstance(_bound(value), Text) else "?"


def _bound(value: Stored) -> Any:
    """As a parameter; a text that is none stays bytes."""
    try:
        return value.decode() if isinstance(value, Text) else value
    except UnicodeDecodeError:
        return value
