"""Values by themselves: the census foretells the exact path, and the server agrees with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.census.tally import ColumnTally
from core.plan.decide import _CHAIN, BOOLEAN_PAIRS, _family, decide, fits
from core.source.rows import SqliteValue
from core.transfer.convert import COPY_HEADER, COPY_TRAILER, copy_tuple, split_tuple
from core.values import types
from core.values.canonical import canonical, literal
from core.values.declared import Kind, declared
from core.values.exact import converter
from core.values.temporal import EPOCHS, stamp_text
from core.values.types import Conversion, Reject, TargetType
from tests.property import generating as g
from tests.property.profiles import profile

BOOLEANS = [Conversion(TargetType(types.BOOLEAN), f"boolean:{f}/{t}") for f, t in BOOLEAN_PAIRS]
TEMPORAL = [
    Conversion(TargetType(name), "iso")
    for name in (types.DATE, types.TIME, types.TIMESTAMP, types.TIMESTAMPTZ)
]
JSON = [Conversion(TargetType(name), "json") for name in (types.JSON, types.JSONB)]
UUID = Conversion(TargetType(types.UUID), "uuid")
# The kinds whose shapes the census must look for before `fits` may be asked.
WANTED: dict[Conversion, Kind | None] = {
    **dict.fromkeys(_CHAIN),
    **dict.fromkeys(BOOLEANS, Kind.BOOLEAN),
    **dict.fromkeys(TEMPORAL, Kind.TIMESTAMP),
    **dict.fromkeys(JSON, Kind.JSON),
    UUID: Kind.UUID,
}
COLUMNS = g.THEMES.flatmap(
    lambda theme: st.lists(st.one_of(theme, theme, theme, g.ANYTHING), max_size=40)
)


def taken(conversion: Conversion, values: list[SqliteValue]) -> int:
    """How many values the exact path accepts."""
    convert = converter(conversion)
    return sum(v is not None and not isinstance(convert(v), Reject) for v in values)


def check_fits(values: list[SqliteValue], batch: int, kinds: frozenset[Kind]) -> None:
    tally = ColumnTally(kinds)
    for start in range(0, len(values), batch):
        tally.add(values[start : start + batch])
    census = tally.result()
    assert census.values == sum(v is not None for v in values)
    for conversion, wanted in WANTED.items():
        if wanted is None or wanted in kinds:
            assert fits(conversion, census) == taken(conversion, values), conversion


KINDS = st.frozensets(st.sampled_from(Kind))


def test_the_census_counts_every_special_value() -> None:
    for value in g.SPECIAL:
        check_fits([value], 1, frozenset(Kind))
    check_fits(g.SPECIAL, 7, frozenset(Kind))


@given(values=COLUMNS, batch=st.integers(1, 50), kinds=KINDS)
@profile(600)
def test_the_census_counts_what_every_conversion_takes(
    values: list[SqliteValue], batch: int, kinds: frozenset[Kind]
) -> None:
    check_fits(values, batch, kinds)


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(values=COLUMNS, batch=st.integers(1, 50), kinds=KINDS)
@profile(100_000, soak=True)
def test_the_census_counts_what_every_conversion_takes_at_length(
    values: list[SqliteValue], batch: int, kinds: frozenset[Kind]
) -> None:
    check_fits(values, batch, kinds)


@given(type_=st.sampled_from(g.TYPES), values=COLUMNS, in_key=st.booleans())
@profile(800)
def test_a_decision_knows_its_misfits(type_: str, values: list[SqliteValue], in_key: bool) -> None:
    declaration = declared(type_)
    tally = ColumnTally(frozenset({declaration.kind}))
    tally.add(values)
    census = tally.result()
    decision = decide(declaration, census, in_key=in_key)
    assert decision.misfits == census.values - taken(decision.conversion, values)
    for candidate in _family(declaration, census, in_key):
        assert fits(candidate, census) == taken(candidate, values), candidate


# --- what the exact path accepts, the server takes and gives back -----------------

_DIGITS = st.text("0123456789", min_size=1, max_size=30)
_NUMBER_TEXTS = st.builds(
    lambda sign, whole, rest: sign + whole + rest,
    st.sampled_from(["", "-"]),
    st.one_of(st.just("0"), st.integers(1, 10**25).map(str)),
    st.one_of(
        st.just(""),
        _DIGITS.map(lambda d: "." + d),
        st.integers(-300, 300).map(lambda e: f"e{e}"),
        st.integers(0, 300).map(lambda e: f".50E+{e}"),
    ),
)
_STRING_TEXTS = st.one_of(
    st.sampled_from(['"\\u0041"', '"\\ud83d\\ude00"', '"\\/\\n\\u000b"', '"é"', '""', '"\\u007f"']),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]))
    .map(lambda t: f'"{t}"'),
)  # fmt: skip
_LEAVES = st.one_of(_NUMBER_TEXTS, _STRING_TEXTS, st.sampled_from(["true", "false", "null"]))
_SPACES = st.sampled_from(["", " ", "\n\t", "\r"])
JSON_TEXTS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda items, s: "[" + f",{s}".join(items) + "]", st.lists(inner), _SPACES),
        st.builds(
            lambda pairs, s: "{" + ",".join(f"{k}{s}:{v}{s}" for k, v in pairs) + "}",
            st.lists(st.tuples(_STRING_TEXTS, inner), max_size=5),
            _SPACES,
        ),
    ),
    max_leaves=12,
)
_YEARS = st.datetimes()
MOMENT_TEXTS = st.one_of(
    g.MOMENTS,
    st.dates().map(str),
    st.times().map(str),
    st.builds(lambda at, by: at.isoformat(by), _YEARS, st.sampled_from(["T", " "])),
    st.builds(
        lambda at, hours, minutes: f"{at.isoformat(' ', 'seconds')}{hours:+03d}:{minutes:02d}",
        _YEARS,
        st.integers(-16, 16),
        st.integers(0, 59),
    ),
)
EPOCH_NUMBERS = st.one_of(
    st.integers(-(10**19), 10**19).filter(lambda n: -(2**63) <= n < 2**63),
    st.integers(-(10**10), 10**10),
    st.integers(10101, 99991231),
    st.floats(-1e8, 1e15),
    st.sampled_from([9224318015999, 9224318016000, -210866803200, -210866803201, 0.5, 2440587.5]),
)
UUID_TEXTS = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda u: u.hex.upper()),
    st.uuids().map(lambda u: f"{{{u}}}"),
    st.uuids().map(lambda u: u.bytes),
)

FEEDS: dict[str, tuple[list[Conversion], st.SearchStrategy[SqliteValue]]] = {
    "numbers": (
        [
            *_CHAIN[:3],
            Conversion(TargetType(types.SMALLINT), "integer"),
            Conversion(TargetType(types.INTEGER), "integer"),
            Conversion(TargetType(types.REAL), "real"),
            Conversion(TargetType(types.NUMERIC, precision=6, scale=2), "decimal"),
            Conversion(TargetType(types.NUMERIC, precision=1000, scale=500), "decimal"),
            Conversion(TargetType(types.NUMERIC, precision=5, scale=0), "decimal"),
        ],
        st.one_of(g.INTEGERS, g.REALS, st.integers(-999999, 999999).map(lambda n: n / 100)),
    ),
    "texts": (
        [
            *(_CHAIN[3], _CHAIN[4], Conversion(TargetType(types.VARCHAR, length=4), "text")),
            Conversion(TargetType(types.VARCHAR, length=9), "spelled"),
            Conversion(TargetType(types.CHAR, length=4), "text"),
        ],
        st.one_of(g.TEXTS, st.text("ab é ", max_size=5)),
    ),
    "bytes": (list(_CHAIN[5:]), g.ANYTHING),
    "booleans": (BOOLEANS, st.one_of(g.WORDS, st.integers(0, 1))),
    "moments": (
        [
            *TEMPORAL,
            Conversion(TargetType(types.TIMESTAMPTZ), "zone:UTC"),
            Conversion(TargetType(types.TIMESTAMPTZ), "zone:Europe/Madrid"),
            Conversion(
                TargetType(types.TIMESTAMP, scale=2, given="timestamp(2) without time zone"), "iso"
            ),
        ],
        MOMENT_TEXTS,
    ),
    "epochs": (
        [
            Conversion(TargetType(name), epoch)
            for name in (types.DATE, types.TIMESTAMP, types.TIMESTAMPTZ)
            for epoch in EPOCHS
        ],
        EPOCH_NUMBERS,
    ),
    "documents": (JSON, st.one_of(JSON_TEXTS, g.DOCUMENTS, g.INTEGERS, g.REALS)),
    "uuids": ([UUID], UUID_TEXTS),
}


@pytest.fixture(scope="module")
def server(cluster) -> Iterator[psycopg.Connection]:  # type: ignore[no-untyped-def]
    """One database for all examples, with one table per conversion."""
    name = f"canonical_{secrets.token_hex(6)}"  # two workers may have a part of this module each
    cluster.ensure_database(name)
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        for number, conversion in enumerate(_all()):
            connection.execute(
                f"CREATE TABLE c{number} (place bigint, value {conversion.type.sql})".encode()
            )
        yield connection
    cluster.drop_database(name)


def _all() -> list[Conversion]:
    return [conversion for conversions, _ in FEEDS.values() for conversion in conversions]


Check = Callable[[list[SqliteValue]], None]


def check_canonical(server: psycopg.Connection, feed: str, values: list[SqliteValue]) -> None:
    for conversion in FEEDS[feed][0]:
        outcomes = [converter(conversion)(value) for value in values]
        fields = [o for o in outcomes if not isinstance(o, Reject)]
        table = f"c{_all().index(conversion)}"
        back = _round_trip(server, table, fields)
        one = canonical(conversion.type) or _same
        for sent, got in zip(fields, back, strict=True):
            assert (sent is None) == (got is None)
            assert sent is None or got is None or one(sent) == one(got), (conversion, sent, got)
        _check_literals(server, table, conversion, fields)


def _same(wire: bytes) -> bytes:
    return wire


def _round_trip(
    server: psycopg.Connection, table: str, fields: list[bytes | None]
) -> list[bytes | None]:
    """The fields as they come out of the table they were copied into."""
    server.execute(f"TRUNCATE {table}".encode())
    tuples = (copy_tuple([n.to_bytes(8), field]) for n, field in enumerate(fields))
    with server.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.write(COPY_HEADER + b"".join(tuples) + COPY_TRAILER)
        select = f"COPY (SELECT value FROM {table} ORDER BY place) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(select.encode()) as copy:
            whole = b"".join(bytes(part) for part in copy)
    back: list[bytes | None] = []
    at = len(COPY_HEADER)
    while whole[at:] != COPY_TRAILER:
        (value,), at = split_tuple(whole, at)
        back.append(value)
    return back


def _check_literals(
    server: psycopg.Connection, table: str, conversion: Conversion, fields: list[bytes | None]
) -> None:
    """A value as a SQL literal (a column's default) is the value."""
    if conversion.rule == "json" or not fields or not _in_four_digit_years(conversion, fields):
        return
    listed = ", ".join(f"({n}, {literal(conversion.type, f)})" for n, f in enumerate(fields))
    kind = conversion.type.sql
    unequal = server.execute(
        f"SELECT t.value::text, l.value::text FROM {table} t JOIN (VALUES {listed}) l(place, value)"
        f" USING (place) WHERE t.value IS DISTINCT FROM l.value::{kind}".encode()
    ).fetchall()
    assert unequal == [], conversion


def _in_four_digit_years(conversion: Conversion, fields: list[bytes | None]) -> bool:
    """Whether every moment can be written as text: SQLite's own dates end with year 9999."""
    if conversion.type.name not in (types.TIMESTAMP, types.TIMESTAMPTZ, types.DATE):
        return True
    unit = 86_400_000_000 if conversion.type.name == types.DATE else 1
    texts = (stamp_text(int.from_bytes(f, signed=True) * unit) for f in fields if f is not None)
    return not any(text.startswith("day") for text in texts)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_special_value_is_what_the_server_holds(
    feed: str, server: psycopg.Connection
) -> None:
    check_canonical(server, feed, g.SPECIAL)


@pytest.mark.parametrize("feed", FEEDS)
def test_what_the_exact_path_makes_is_what_the_server_holds(
    feed: str, server: psycopg.Connection
) -> None:
    _given(feed, profile(250))(lambda values: check_canonical(server, feed, values))()


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("feed", FEEDS)
def test_what_the_exact_path_makes_is_what_the_server_holds_at_length(
    feed: str, server: psycopg.Connection
) -> None:
    _given(feed, profile(10_000, soak=True))(lambda values: check_canonical(server, feed, values))()


def _given(feed: str, how: settings) -> Callable[[Check], Callable[[], None]]:
    values = st.lists(st.one_of(FEEDS[feed][1], FEEDS[feed][1], g.ANYTHING), max_size=30)
    return lambda check: how(given(values)(check))
