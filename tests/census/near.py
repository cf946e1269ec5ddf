"""Strategies: texts that are nearly a moment, a document or a UUID, and numbers at the edges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from hypothesis import strategies as st

from core.source.rows import InvalidText, SqliteValue
from tests.property import generating as g
from tests.values.test_documents import JSON_ONLY, JSONB, NEITHER
from tests.values.test_temporal import ACCEPTED, REFUSED

_CHARACTERS = st.sampled_from(
    [*'0129:-+.TZtz {}[]"\\,/eEaAfFgux_\n\t\x00\x01', "é", "٣", "\u2028", "😀"]
)


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text as it is, or with a character or two put in, taken out or replaced."""
    text = draw(texts)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.one_of(st.just(""), _CHARACTERS))
        text = text[:at] + put + text[at + draw(st.integers(0, 1)) :]
    return text


def _number(width: int, often: list[str], seldom: list[str]) -> st.SearchStrategy[str]:
    """So many digits: some that are right in most places, some at the edges, any at all."""
    either = [*often * 8, *seldom]
    any_digits = st.integers(0, 10**width - 1).map(lambda n: f"{n:0{width}}")
    return st.integers(0, 29).flatmap(lambda n: st.sampled_from(either) if n else any_digits)


_DATE = st.tuples(
    _number(4, ["2024", "2023", "1900", "0001", "9999"], ["0000", "1677", "2263"]),
    _number(2, ["01", "02", "12", "11"], ["00", "13"]),
    _number(2, ["01", "15", "28"], ["00", "29", "30", "31", "32"]),
).map("-".join)
_HOUR = _number(2, ["00", "12", "23"], ["24", "25"])
_SIXTIETH = _number(2, ["00", "30", "59"], ["60", "61"])
_MINUTES = st.tuples(_HOUR, _SIXTIETH).map(":".join)
_SECONDS = st.tuples(_HOUR, _SIXTIETH, _SIXTIETH).map(":".join)
_FRACTIONS = [
    st.just(""),
    st.integers(0, 10**6 - 1).map(lambda n: f".{n:06}"),
    st.sampled_from([".0", ".5"]),
    st.sampled_from([".1234560", ".0000000", ".1234567", ".9999990"]),
    st.text("0", min_size=7, max_size=12).map(lambda zeros: f".123456{zeros}"),
]
_CLOCKS = [_MINUTES, *(st.tuples(_SECONDS, part).map("".join) for part in _FRACTIONS)]
_HOURS_OFF = _number(2, ["00", "02", "14", "15"], ["16", "23", "24"])
_MINUTES_OFF = _number(2, ["00", "30", "59"], ["60"])
_SIGN = st.sampled_from("+-")
_OFFSETS = [
    st.just("Z"),
    st.tuples(_SIGN, _HOURS_OFF).map("".join),
    st.tuples(_SIGN, _HOURS_OFF, _MINUTES_OFF).map("".join),
    st.tuples(_SIGN, _HOURS_OFF, st.just(":"), _MINUTES_OFF).map("".join),
    st.tuples(st.just(" +"), _HOURS_OFF, _MINUTES_OFF).map("".join),
]
_STAMPS = [
    st.tuples(_DATE, st.just(between), clock).map("".join) for between in "T " for clock in _CLOCKS
]
_STRANGE_MOMENTS = mutated(
    st.one_of(st.sampled_from([text for text, _ in ACCEPTED] + REFUSED), g.MOMENTS)
)
# A column is written in one way, now and then in several.
MOMENT_COLUMNS = [
    _DATE,
    *_CLOCKS,
    *_STAMPS,
    *(st.tuples(stamp, offset).map("".join) for stamp in _STAMPS for offset in _OFFSETS),
    st.one_of(_DATE, *_CLOCKS, *_STAMPS),
    _STRANGE_MOMENTS,
]
MOMENTS = st.one_of(_STRANGE_MOMENTS, mutated(st.one_of(MOMENT_COLUMNS)))

_KEYS = st.sampled_from(["", "a", "b", "a:1", "a,b", "1", "12", "é", "[", "{", '"', "\\", "\u2028"])
_NUMBERS = st.one_of(
    st.integers(0, 99).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        [
            *(
                "-0",
                "0",
                "01",
                "-01",
                "1.",
                ".5",
                "+1",
                "1e5",
                "1E+2",
                "1e20000",
                "1e-20000",
                "0e9",
            ),
            *(
                "NaN",
                "Infinity",
                "-Infinity",
                "1.50",
                "-0.0",
                "1" * 40,
                "1" * 5000,
                "0." + "1" * 20,
            ),
        ]
    ),
)
_WORDS = st.one_of(
    st.sampled_from(["true", "false", "null", "True", "nul", ""]),
    st.text(st.characters(codec="utf-8"), max_size=5).map(json.dumps),
    st.text(st.characters(codec="utf-8"), max_size=5).map(lambda t: json.dumps(t, ensure_ascii=False)),
    st.sampled_from(['"\\ud83d"', '"\\uDe00"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\\\u0000"', '"\\/"']),
)  # fmt: skip
_SPACES = st.sampled_from(["", "", "", " ", "\n  ", "\t"])


def _answered(text: str) -> bool:
    """Not an exponent too long for Decimal: the exact path has no answer to it."""
    return re.search(r"[eE][-+]?\d{17}", text) is None


def _containers(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    key = _KEYS.map(json.dumps)
    pair = st.tuples(key, _SPACES, st.just(":"), _SPACES, items).map("".join)
    comma = st.tuples(_SPACES, st.just(","), _SPACES).map("".join)
    return st.one_of(
        _joined(items, comma).map(lambda inner: f"[{inner}]"),
        _joined(pair, comma).map(lambda inner: f"{{{inner}}}"),
    )


def _joined(parts: st.SearchStrategy[str], by: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    join: Callable[[tuple[list[str], str]], str] = lambda found: found[1].join(found[0])  # noqa: E731
    return st.tuples(st.lists(parts, max_size=4), by).map(join)


_DEPTHS = st.sampled_from([1, 2, 99, 250, 499, 500, 501, 600])
DOCUMENTS = mutated(
    st.one_of(
        st.recursive(st.one_of(_NUMBERS, _WORDS), _containers, max_leaves=8),
        _DEPTHS.map(lambda depth: "[" * depth + "]" * depth),
        _DEPTHS.map(lambda depth: '{"a": ' * depth + "1" + "}" * depth),
        st.sampled_from([7_999, 8_000, 8_001, 16_000, 16_001]).map(lambda size: "1" * size),
        st.sampled_from([8_000, 16_001]).map(lambda size: "0." + "0" * size + "1"),
        st.sampled_from([1_001, 9_000]).map(lambda size: '["' + "[" * size + '"]'),
        st.sampled_from(JSONB + JSON_ONLY + NEITHER),
        g.DOCUMENTS,
    )
).filter(_answered)

_HEXES = st.one_of(
    st.uuids().map(str),
    st.text("0123456789abcdefABCDEF", min_size=32, max_size=32),
    st.text("0123456789", min_size=32, max_size=32),
)
_STYLES: list[Callable[[str], str]] = [
    str,
    lambda h: f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}",
    lambda h: f"{{{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}}}",
]
_CASES: list[Callable[[str], str]] = [str, str.lower, str.upper]
_UUID_COLUMNS = [
    _HEXES.map(lambda text, style=style, case=case: case(style(text.replace("-", ""))))
    for style in _STYLES
    for case in _CASES
]
UUID_COLUMNS = [*_UUID_COLUMNS, mutated(st.one_of(*_UUID_COLUMNS, g.UUIDS))]
UUIDS = mutated(st.one_of(*_UUID_COLUMNS, g.UUIDS))

INTEGERS = st.one_of(
    g.INTEGERS,
    st.integers(-(10**6), 10**6),
    st.tuples(st.integers(53, 63), st.integers(-3, 3), st.sampled_from([1, -1])).map(
        lambda parts: max(-(2**63), min(2**63 - 1, parts[2] * (2 ** parts[0] + parts[1])))
    ),
)
_STRANGE_REALS = st.one_of(
    g.REALS,
    st.sampled_from(
        [
            *(
                0.1,
                0.3,
                0.1 + 0.2,
                1e15 + 0.3,
                1e15 - 0.3,
                999999999999999.9,
                1e15,
                1e16,
                1e22,
                1e23,
            ),
            *(
                5e-324,
                1e-22,
                1e-23,
                4.35,
                1.005,
                2.675,
                0.615,
                2.0**53,
                2.0**53 + 2,
                -0.0,
                123456.5,
            ),
        ]
    ),
)
REAL_COLUMNS = [
    _STRANGE_REALS,
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 6)).map(lambda p: p[0] / 10 ** p[1]),
    st.tuples(st.integers(-(10**17), 10**17), st.integers(0, 25)).map(lambda p: p[0] / 10 ** p[1]),
    st.tuples(st.integers(1, 999), st.integers(-330, 300)).map(lambda p: float(f"{p[0]}e{p[1]}")),
    st.integers(0, 2**53).map(lambda n: n / 2**53),
    st.integers(0, 2**53).map(lambda n: n / 2**40),
    st.integers(0, 2**53).map(lambda n: n * 1.1),
]
REALS = st.one_of(REAL_COLUMNS)
TEXTS = st.one_of(
    MOMENTS, DOCUMENTS, UUIDS, g.WORDS, g.TEXTS, st.text(st.characters(codec="utf-8"), max_size=8)
).filter(_answered)
INVALID: st.SearchStrategy[SqliteValue] = st.one_of(
    g.INVALID,
    # Bytes that are valid only beside their neighbours'.
    st.sampled_from([InvalidText(b"\xc3"), InvalidText(b"\xa9"), InvalidText(b"\xf0\x9f")]),
)
BLOBS = st.one_of(g.BLOBS, st.binary(min_size=16, max_size=16))
