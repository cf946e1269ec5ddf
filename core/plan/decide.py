"""Which PostgreSQL type a column gets, from what was declared and what is stored.

The rule: a declared type is kept while its misfits are few (they are
quarantined); otherwise the column is retyped to the first of bigint, double
precision, numeric, text and bytea that holds every value exactly. Nothing is
guessed per row. Width, scale and JSON validity widen the type and quarantine
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.census import ColumnCensus
from core.schema.model import Affinity
from core.values import types
from core.values.declared import TEMPORAL, Declared, Kind
from core.values.exact import shapes_of
from core.values.temporal import Shape
from core.values.types import Conversion, TargetType

MISFITS_ALWAYS_ALLOWED = 3
MISFITS_SHARE = 0.001

_BOOLEANS = (("0", "1"), *types.BOOLEAN_WORDS)
_CHAIN = (
    Conversion(TargetType(types.BIGINT), "integer"),
    Conversion(TargetType(types.DOUBLE), "real"),
    Conversion(TargetType(types.NUMERIC), "decimal"),
    Conversion(TargetType(types.TEXT), "text"),
    Conversion(TargetType(types.TEXT), "spelled"),
    Conversion(TargetType(types.BYTEA), "bytes"),
    Conversion(TargetType(types.BYTEA), "bytes:spelled"),
)


@dataclass(frozen=True)
class Decision:
    """A conversion and why it differs from what was declared, if it does.

    ``misfits``: values it will quarantine. ``retyped``: the declared type is
    lost. ``widened``: kept, with its width, scale or strictness given up.
    ``chosen``: a person named it in the plan.
    """

    conversion: Conversion
    misfits: int = 0
    retyped: bool = False
    widened: bool = False
    chosen: bool = False


def misfits_allowed(census: ColumnCensus) -> int:
    """How many misfits a declared type survives."""
    return max(MISFITS_ALWAYS_ALLOWED, int(census.values * MISFITS_SHARE))


def decide(
    declaration: Declared,
    census: ColumnCensus,
    *,
    affinity: Affinity = Affinity.BLOB,
    in_key: bool = False,
) -> Decision:
    """The type of one column (or of a group decided together).

    ``affinity`` decides for a column without values whose declared type says
    nothing; ``in_key``: it is part of a key or an index, where json cannot be.
    """
    family = list(_family(declaration, census, in_key))
    if census.values == 0 and not family:
        return Decision(_BY_AFFINITY[affinity])
    for conversion in family:
        if suits(conversion, census):
            return _kept(declaration, conversion, census)
    return _retyped(declaration, census)


def suits(conversion: Conversion, census: ColumnCensus) -> bool:
    """Whether the column's misfits under ``conversion`` are few enough to keep it.

    A type that not one value fits has nothing but its name to stand on.
    """
    fitting = fits(conversion, census)
    return census.values == 0 or (
        fitting > 0 and census.values - fitting <= misfits_allowed(census)
    )


def fits(conversion: Conversion, census: ColumnCensus) -> int:
    """How many of the column's values the conversion takes (for every rule that
    :func:`decide` can choose; the exact path accepts as many)."""
    rule, kind = conversion.rule, conversion.type.name
    numbers = census.integers + census.reals
    if rule == "integer":
        return census.integers
    if rule == "real":
        return numbers - census.integers_inexact
    if rule == "decimal":
        return numbers if conversion.type.precision is None else numbers - census.reals_infinite
    if rule.startswith("boolean:"):
        return _boolean_fits(rule, census)
    if rule == "text":
        return census.sound_texts
    if rule == "spelled":
        return census.sound_texts + numbers
    if rule == "bytes":
        return census.texts + census.blobs
    if rule == "bytes:spelled":
        return census.values
    return sum(census.shapes.get(shape, 0) for shape in _accepted_shapes(rule, kind, census))


def _boolean_fits(rule: str, census: ColumnCensus) -> int:
    if rule == "boolean:0/1":
        return census.zero_one
    return sum(census.words.get(word, 0) for word in rule.removeprefix("boolean:").split("/"))


def _accepted_shapes(rule: str, kind: str, census: ColumnCensus) -> tuple[str, ...]:
    if rule == "json":
        return ("jsonb",) if kind == types.JSONB else ("jsonb", "json")
    if rule == "uuid":
        return tuple(census.uuid_forms)
    return tuple(shape.value for shape in shapes_of(kind))


def _kept(declaration: Declared, conversion: Conversion, census: ColumnCensus) -> Decision:
    kind, own = conversion.type, _NATURAL.get(declaration.kind, ())
    had_width = declaration.kind in (Kind.VARCHAR, Kind.DECIMAL) and declaration.first is not None
    lost_width = had_width and kind.length is None and kind.precision is None
    return Decision(
        conversion,
        misfits=census.values - fits(conversion, census),
        retyped=kind.name not in own,
        widened=kind.name == types.JSON or lost_width,
    )


def holds_all(census: ColumnCensus) -> Conversion:
    """The first type that holds every value of a column exactly."""
    return next(c for c in _CHAIN if fits(c, census) == census.values)


def _retyped(declaration: Declared, census: ColumnCensus) -> Decision:
    chosen = holds_all(census)
    had_a_type = declaration.kind not in (Kind.UNTYPED, Kind.UNKNOWN)
    return Decision(chosen, retyped=had_a_type)


# The target types under which a declared kind still is what it was declared.
_NATURAL: dict[Kind, tuple[str, ...]] = {
    Kind.INTEGER: (types.BIGINT,),
    Kind.REAL: (types.DOUBLE,),
    Kind.DECIMAL: (types.NUMERIC,),
    Kind.BOOLEAN: (types.BOOLEAN,),
    Kind.DATE: (types.DATE,),
    Kind.TIME: (types.TIME,),
    Kind.TIMESTAMP: (types.TIMESTAMP, types.TIMESTAMPTZ),
    Kind.TIMESTAMPTZ: (types.TIMESTAMP, types.TIMESTAMPTZ),
    Kind.VARCHAR: (types.VARCHAR, types.TEXT),
    Kind.TEXT: (types.TEXT,),
    Kind.JSON: (types.JSON, types.JSONB),
    Kind.BLOB: (types.BYTEA,),
    Kind.UUID: (types.UUID,),
}


_BY_AFFINITY = {
    Affinity.INTEGER: _CHAIN[0],
    Affinity.REAL: _CHAIN[1],
    Affinity.NUMERIC: _CHAIN[2],
    Affinity.TEXT: _CHAIN[3],
    Affinity.BLOB: _CHAIN[4],
}


def _family(declaration: Declared, census: ColumnCensus, in_key: bool) -> Iterator[Conversion]:
    """What the declared kind may become, the closest first."""
    kind = declaration.kind
    if kind in TEMPORAL:
        yield from _temporal(kind, census)
    elif kind is Kind.BOOLEAN:
        yield from _booleans(census)
    elif kind is Kind.DECIMAL:
        yield from _decimals(declaration, census)
    elif kind is Kind.VARCHAR:
        yield from _varchars(declaration, census)
    elif kind is Kind.JSON:
        yield from _documents(census, in_key)
    elif kind is Kind.UUID:
        yield from _uuids(census)
    else:
        simple = {Kind.INTEGER: 0, Kind.REAL: 1, Kind.TEXT: 3, Kind.BLOB: 5}
        if kind in simple:
            yield _CHAIN[simple[kind]]


def _temporal(kind: Kind, census: ColumnCensus) -> Iterator[Conversion]:
    naive, offset = (census.shapes.get(s.value, 0) for s in (Shape.NAIVE, Shape.OFFSET))
    if naive and offset:
        return  # no one type says both; text keeps what was written
    order = {
        Kind.DATE: (types.DATE, types.TIMESTAMP, types.TIMESTAMPTZ),
        Kind.TIME: (types.TIME, types.TIMESTAMP, types.TIMESTAMPTZ),
        Kind.TIMESTAMP: (types.TIMESTAMP, types.TIMESTAMPTZ, types.TIME),
        Kind.TIMESTAMPTZ: (types.TIMESTAMPTZ, types.TIMESTAMP, types.TIME),
    }
    for name in order[kind]:
        yield Conversion(TargetType(name), "iso")


def _booleans(census: ColumnCensus) -> Iterator[Conversion]:
    pairs = [Conversion(TargetType(types.BOOLEAN), f"boolean:{f}/{t}") for f, t in _BOOLEANS]
    yield from sorted(pairs, key=lambda c: -fits(c, census))  # stable: 0/1 first on a tie


def _decimals(declaration: Declared, census: ColumnCensus) -> Iterator[Conversion]:
    precision, scale = declaration.first, declaration.second or 0
    if precision is not None and 1 <= precision <= types.NUMERIC_PRECISION_MAX:
        fitting = census.scale <= scale and census.whole_digits <= precision - scale
        if scale <= precision and fitting and not census.reals_infinite:
            yield Conversion(TargetType(types.NUMERIC, precision=precision, scale=scale), "decimal")
    yield Conversion(TargetType(types.NUMERIC), "decimal")


def _varchars(declaration: Declared, census: ColumnCensus) -> Iterator[Conversion]:
    length = declaration.first
    if length is not None and max(1, census.chars_max) <= length <= types.VARCHAR_LENGTH_MAX:
        yield Conversion(TargetType(types.VARCHAR, length=length), "text")
    yield Conversion(TargetType(types.TEXT), "text")


def _documents(census: ColumnCensus, in_key: bool) -> Iterator[Conversion]:
    if census.shapes.get("jsonb", 0) == census.values:  # true of no values as well
        yield Conversion(TargetType(types.JSONB), "json")
    if census.shapes.get("jsonb", 0) + census.shapes.get("json", 0) == census.values and not in_key:
        yield Conversion(TargetType(types.JSON), "json")


def _uuids(census: ColumnCensus) -> Iterator[Conversion]:
    styles = {form.partition("-")[0] for form in census.uuid_forms}
    cases = {form.partition("-")[2] for form in census.uuid_forms} - {"none"}
    whole = sum(census.uuid_forms.values()) == census.values
    if whole and len(styles) <= 1 and len(cases) <= 1 and "mixed" not in cases:
        yield Conversion(TargetType(types.UUID), "uuid")
