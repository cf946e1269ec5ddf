"""Findings about columns: values against the declared type and against the planned one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.assess.epochs import epoch_of
from core.assess.looking import Look, Seen
from core.assess.making import finding
from core.assess.model import Finding
from core.census import ColumnCensus
from core.plan import ColumnPlan, TablePlan
from core.plan.decide import holds_all
from core.schema.model import Table
from core.source.rows import SqliteValue, quoted
from core.values import documents, temporal, types
from core.values.declared import TEMPORAL, Declared, Kind, declared
from core.values.temporal import Shape
from core.values.types import Conversion, TargetType

HUGE_BYTES = 500_000_000
"""From here on a value and its copies no longer fit into one message of the server."""
_FORMATS_MAX = 6
_MOMENT_SIGNS = re.compile(r"[9\-:. TZ+]+")
_OFFSET_SIGN = re.compile(r"(:99(?:\.9+)? ?)[+-](99(?::?99)?)$")
_DIGITS_OF_A_DOUBLE = 16


@dataclass(frozen=True)
class Site:
    """A column as it is declared, counted and planned. ``changed``: the reason of its fate,
    '' when it keeps its type; ``is_joined``: a foreign key ties it to another."""

    table: Table
    plan: TablePlan
    column: ColumnPlan
    census: ColumnCensus
    changed: str
    is_joined: bool

    @property
    def name(self) -> str:
        """As findings name it."""
        return f"{self.plan.name}.{self.column.source}"

    @property
    def declared(self) -> Declared:
        """What the declared type asks for."""
        return declared(self.column.declared, strict=self.table.strict)

    @property
    def has_lost_type(self) -> bool:
        """Whether the declared type is given up for its values."""
        return self.changed == "retyped"

    def made(self, finding_id: str, seen: Seen | None = None, **more: object) -> Finding:
        """A finding about this column."""
        return finding(
            finding_id,
            "column",
            self.name,
            table=self.plan.name,
            column=self.column.source,
            seen=seen or Seen(),
            has_lost_type=self.has_lost_type,
            **more,  # type: ignore[arg-type]
        )


Faults = Mapping[str, Mapping[str, Seen]]
"""Per column, what is the matter with its values, by id."""


def faults_of(plan: TablePlan, sites: Sequence[Site], look: Look) -> Faults:
    """What is the matter with the values of one table; only columns that the census finds
    something in are read."""
    suspects = [s.column.source for s in sites if _is_suspect(s)]
    return look.faults(plan, suspects) if suspects else {}


def column_findings(sites: Sequence[Site], faults: Faults, look: Look) -> Iterator[Finding]:
    """All findings about the columns of one table."""
    for site in sites:
        yield from _of_values(site, faults.get(site.column.source, {}), look)
        yield from _of_the_whole(site, faults.get(site.column.source, {}), look)


# --- value by value ----------------------------------------------------------------------


def _is_suspect(site: Site) -> bool:
    """Whether the census says that some value is not what was declared or planned."""
    column, census = site.column, site.census
    if column.misfits or (column.not_null and census.nulls):
        return True
    if site.changed in ("retyped", "widened") or column.rule.startswith("epoch:"):
        return True
    if site.declared.kind is Kind.BOOLEAN and census.texts:
        return True
    long_reals = census.reals and census.whole_digits >= _DIGITS_OF_A_DOUBLE
    return bool(site.declared.kind is Kind.DECIMAL and long_reals)


def _of_values(site: Site, faults: Mapping[str, Seen], look: Look) -> Iterator[Finding]:
    for finding_id, seen in faults.items():
        facts = {"declared": site.column.declared, "type": site.column.type.sql}
        conversion = None
        if finding_id in _NUMBERED_MOMENTS and not site.is_joined:
            conversion, shown = _as_moments(site, look, seen)
            facts |= shown
        elif seen.set_aside and not site.is_joined:
            conversion = _wider(site, finding_id)
        yield site.made(finding_id, seen, facts=facts, counts=seen.counts, conversion=conversion)


_NUMBERED_MOMENTS = ("moment.epoch", "moment.julian")


def _as_moments(site: Site, look: Look, seen: Seen) -> tuple[Conversion | None, dict[str, str]]:
    """The rule under which the column's numbers are moments, and the first of them so."""
    conversion = epoch_of(site.declared.kind, site.plan, site.column, site.census, look)
    if conversion is None or conversion == site.column.conversion:
        return None, {}
    micros = next(
        (
            moment
            for value in seen.values
            if isinstance(value, int | float)
            and (moment := temporal.from_number(value, conversion.rule)) is not None
        ),
        None,
    )
    rendered = "" if micros is None else temporal.stamp_text(micros)
    return conversion, {"unit": conversion.rule, "rendered": rendered}


def _wider(site: Site, finding_id: str) -> Conversion | None:
    """A type that takes the misfits too and still says what the column means; None when
    there is none: then the rows are to be mended, or left aside."""
    census = site.census
    if census.texts or census.blobs:
        return None
    if finding_id in ("integer.fraction", "integer.beyond_bigint"):
        return Conversion(TargetType(types.NUMERIC), "decimal")
    if finding_id == "real.inexact_integer":
        return Conversion(TargetType(types.NUMERIC), "decimal")
    return holds_all(census) if finding_id == "boolean.other_value" else None


# --- the column as a whole -----------------------------------------------------------------


def _of_the_whole(site: Site, faults: Mapping[str, Seen], look: Look) -> Iterator[Finding]:
    kind, census = site.declared.kind, site.census
    if kind in TEMPORAL:
        yield from _of_moments(site, look)
    if kind is Kind.UUID:
        yield from _of_uuids(site, look)
    has_bytes = kind is Kind.BLOB and site.column.rule.startswith("bytes")
    if has_bytes and census.texts and "bytes.text" not in faults:
        seen = look.where(site.plan, f"typeof({quoted(site.column.source)}) = 'text'")
        yield site.made("bytes.text", seen)
    if kind is Kind.VARCHAR and census.texts:
        yield from _of_blanks(site, look)
    if census.bytes_max >= HUGE_BYTES:
        condition = f"length(CAST({quoted(site.column.source)} AS BLOB)) >= {HUGE_BYTES}"
        yield site.made("value.huge", look.where(site.plan, condition))


def _of_moments(site: Site, look: Look) -> Iterator[Finding]:
    shapes = site.census.shapes
    naive, offset = (shapes.get(s.value, 0) for s in (Shape.NAIVE, Shape.OFFSET))
    facts = {"formats": _formats(site.census.spellings)}
    if naive and offset:
        rarer = Shape.OFFSET if offset <= naive else Shape.NAIVE
        seen = look.first(site.plan, site.column.source, _of_shape(rarer))
        yield site.made("moment.mixed_offset", seen, rows=min(naive, offset), facts=facts)
    elif site.column.rule == "iso" and len(counts := _moments_only(site.census.spellings)) > 1:
        most = max(counts, key=counts.__getitem__, default="")
        others = sum(counts.values()) - counts.get(most, 0)
        seen = look.first(site.plan, site.column.source, _spelled_unlike(most))
        if seen.rows:
            rows = max(others, seen.rows)
            yield site.made("moment.several_spellings", seen, rows=rows, facts=facts)


def _of_shape(shape: Shape) -> Callable[[SqliteValue], bool]:
    def is_meant(value: SqliteValue) -> bool:
        moment = temporal.parse(value) if isinstance(value, str) else None
        return moment is not None and moment.shape is shape

    return is_meant


def _spelled_unlike(most: str) -> Callable[[SqliteValue], bool]:
    def is_meant(value: SqliteValue) -> bool:
        if not isinstance(value, str) or temporal.parse(value) is None:
            return False
        return _with_any_sign(temporal.spelling(value)) != most

    return is_meant


def _moments_only(spellings: Mapping[str, int]) -> Mapping[str, int]:
    """The spellings that show no letter of any value; offsets either way are one."""
    counts: Counter[str] = Counter()
    for spelling, count in spellings.items():
        if _MOMENT_SIGNS.fullmatch(spelling):
            counts[_with_any_sign(spelling)] += count
    return counts


def _with_any_sign(spelling: str) -> str:
    return _OFFSET_SIGN.sub("\\1±\\2", spelling)


def _formats(spellings: Mapping[str, int]) -> str:
    """How often each format is written, the most frequent first; digits as 9."""
    known = _moments_only(spellings)
    shown = sorted(known.items(), key=lambda item: -item[1])[:_FORMATS_MAX]
    rest = sum(spellings.values()) - sum(count for _, count in shown)
    return ", ".join([*(f"{s}: {n}" for s, n in shown), *([f"…: {rest}"] if rest else [])])


def _of_uuids(site: Site, look: Look) -> Iterator[Finding]:
    forms = site.census.uuid_forms
    styles = {form.partition("-")[0] for form in forms}
    cases = {form.partition("-")[2] for form in forms} - {"none"}
    if len(styles) <= 1 and len(cases) <= 1 and "mixed" not in cases:
        return
    most = max(forms, key=forms.__getitem__)

    def is_meant(value: SqliteValue) -> bool:
        form = documents.uuid_form(value)
        return form is not None and f"{form.style}-{form.case}" != most

    facts = {"formats": ", ".join(f"{form}: {count}" for form, count in forms.items())}
    seen = look.first(site.plan, site.column.source, is_meant)
    rows = sum(forms.values()) - forms[most]
    conversion = None
    if site.has_lost_type and sum(forms.values()) == site.census.values and not site.is_joined:
        conversion = Conversion(TargetType(types.UUID), "uuid")
    yield site.made("uuid.several_forms", seen, rows=rows, facts=facts, conversion=conversion)


def _of_blanks(site: Site, look: Look) -> Iterator[Finding]:
    column = quoted(site.column.source)
    seen = look.where(site.plan, f"typeof({column}) = 'text' AND substr({column}, -1) = ' '")
    if seen.rows:
        yield site.made("text.trailing_blanks", seen)
