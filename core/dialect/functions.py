"""SQLite's own functions of one row (https://sqlite.org/lang_corefunc.html), said in
PostgreSQL for the kinds of values over which both mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.dialect import moments
from core.dialect.comparisons import compared
from core.dialect.terms import Kind, Term, Untranslatable, bare, of_text, spelled
from core.dialect.volatility import Volatility

if TYPE_CHECKING:
    from core.dialect.expressions import Expressions

Function = Callable[["Expressions", Sequence[Any]], Term]
_LONGEST = 1 << 30
_RANDOM = "sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))"
_RANDOM_BYTES = 30
"""So many bytes of it are random at least: a uuid has six bits that are not."""


def known(name: str, arguments: int) -> Function | None:
    """What says the function called ``name`` with so many arguments, None for no one."""
    found = _FUNCTIONS.get(name)
    return found[0] if found is not None and arguments in found[1] else None


# --- several values that become one -------------------------------------------------------


def evened(terms: Sequence[Term], what: str) -> list[Term]:
    """The values as values of one kind: a 0/1 boolean beside whole numbers is one itself."""
    kinds = {term.kind for term in terms} - {Kind.NULL}
    if kinds == {Kind.BOOLEAN, Kind.INTEGER}:
        terms = [_counted(term) for term in terms]
        kinds = {Kind.INTEGER}
    if len(kinds) != 1 or not kinds <= {Kind.INTEGER, Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN}:
        raise Untranslatable(f"{what} of several kinds")
    if any(term.is_explicit for term in terms):
        raise Untranslatable("COLLATE within")
    if len({term.is_decimal for term in terms if term.kind is Kind.NUMBER}) > 1:
        raise Untranslatable(f"{what} of REALs and decimals")
    return [bare(term) for term in terms]


def among(sql: str, terms: Sequence[Term]) -> Term:
    """``sql``, whose value is that of one of the terms, all of one kind."""
    told = [term for term in terms if term.kind is not Kind.NULL]
    sizes = [term.most for term in told if term.most is not None]
    return Term(
        sql,
        told[0].kind,
        most=max(sizes) if len(sizes) == len(told) else None,
        is_rough=any(term.is_rough for term in told),
        is_decimal=told[0].is_decimal,
    )


def _counted(term: Term) -> Term:
    if term.kind is not Kind.BOOLEAN:
        return term
    if term.place and spelled(term.place):
        raise Untranslatable("a boolean in words as a number")
    return Term(f"({term.sql})::int", Kind.INTEGER, most=1)


# --- texts ------------------------------------------------------------------------------------


def _text(sql: str) -> Term:
    return Term(sql, Kind.TEXT)


def _length(says: Expressions, given: Sequence[Any]) -> Term:
    term = says.value(given[0])
    if term.kind is Kind.BLOB:
        return Term(f"octet_length({term.sql})", Kind.INTEGER, most=_LONGEST)
    return Term(f"length({says.spoken(given[0]).sql})", Kind.INTEGER, most=_LONGEST)


def _lower(says: Expressions, given: Sequence[Any]) -> Term:
    """SQLite's own knows ASCII alone."""
    return _text(f'lower({says.spoken(given[0]).sql} COLLATE "C")')


def _upper(says: Expressions, given: Sequence[Any]) -> Term:
    """SQLite's own knows ASCII alone."""
    return _text(f'upper({says.spoken(given[0]).sql} COLLATE "C")')


def _trimmed(word: str) -> Function:
    def trim(says: Expressions, given: Sequence[Any]) -> Term:
        characters = says.text(given[1]).sql if len(given) > 1 else "' '"
        return _text(f"{word}({says.spoken(given[0]).sql}, {characters})")

    return trim


def _substr(says: Expressions, given: Sequence[Any]) -> Term:
    """From a place that is counted from the start, or from the end by a constant."""
    text, first = says.spoken(given[0]).sql, says.value(given[1])
    length = says.value(given[2]) if len(given) > 2 else None
    start = first.constant
    if not isinstance(start, int) or start == 0:
        raise Untranslatable("substr() from a place that is no constant")
    if length is not None and (not isinstance(length.constant, int) or length.constant < 0):
        raise Untranslatable("substr() of a length that is no constant")
    if start < 0 and length is None:
        return _text(f"right({text}, {-start})")
    place = str(start) if start > 0 else f"length({text}) + {start + 1}"
    rest = "" if length is None else f", {length.constant}"
    return _text(f"substr({text}, {place}{rest})")


def _replace(says: Expressions, given: Sequence[Any]) -> Term:
    parts = (says.spoken(node).sql for node in given)
    return _text(f"replace({', '.join(parts)})")


def _instr(says: Expressions, given: Sequence[Any]) -> Term:
    parts = (says.text(node).sql for node in given)
    return Term(f"strpos({', '.join(parts)})", Kind.INTEGER, most=_LONGEST)


def _hex(says: Expressions, given: Sequence[Any]) -> Term:
    term = says.value(given[0])
    if term.kind is not Kind.BLOB:
        says.require(Volatility.STABLE, "hex() of a text")
        term = Term(f"convert_to({says.text(given[0]).sql}, 'UTF8')", Kind.BLOB)
    return _text(f"upper(encode({term.sql}, 'hex'))")


# --- choices ----------------------------------------------------------------------------------


def _coalesce(says: Expressions, given: Sequence[Any]) -> Term:
    terms = evened([says.value(node) for node in given], "coalesce()")
    return among(f"coalesce({', '.join(term.sql for term in terms)})", terms)


def _nullif(says: Expressions, given: Sequence[Any]) -> Term:
    first, second = (says.value(node) for node in given)
    same = compared(bare(first), "=", bare(second))
    return among(f"(CASE WHEN {same} THEN NULL ELSE {first.sql} END)", [bare(first)])


def _iif(says: Expressions, given: Sequence[Any]) -> Term:
    asked = says.condition(given[0])
    terms = evened([says.value(node) for node in given[1:]], "iif()")
    otherwise = f" ELSE {terms[1].sql}" if len(terms) > 1 else ""
    return among(f"(CASE WHEN {asked} THEN {terms[0].sql}{otherwise} END)", terms)


def _outermost(word: str) -> Function:
    def outermost(says: Expressions, given: Sequence[Any]) -> Term:
        """SQLite's knows no greatest where one is NULL."""
        terms = evened([says.value(node) for node in given], word)
        collated = ' COLLATE "C"' if Kind.TEXT in {term.kind for term in terms} else ""
        nulls = " OR ".join(f"{term.sql} IS NULL" for term in terms)
        among_them = ", ".join(term.sql + collated for term in terms)
        return among(f"(CASE WHEN NOT ({nulls}) THEN {word}({among_them}) END)", terms)

    return outermost


def _likely(says: Expressions, given: Sequence[Any]) -> Term:
    """A hint to SQLite's planner, which has the value of its argument."""
    return bare(says.value(given[0]))


# --- numbers ----------------------------------------------------------------------------------


def _abs(says: Expressions, given: Sequence[Any]) -> Term:
    term = says.value(given[0])
    if not term.is_number:
        raise Untranslatable(f"abs() of {term.kind}")
    if term.kind is Kind.INTEGER and (term.most is None or term.most >= 1 << 63):
        raise Untranslatable("abs() past 64 bits")  # an error to SQLite
    wide = f"{term.sql}::numeric" if term.kind is Kind.INTEGER else term.sql
    return among(f"abs({wide})", [bare(term)])


def _round(says: Expressions, given: Sequence[Any]) -> Term:
    """A REAL, rounded: SQLite goes by its decimal digits, which its versions count differently."""
    says.require(Volatility.STABLE, "round()")
    term = says.value(given[0])
    places = says.value(given[1]).constant if len(given) > 1 else 0
    if not term.is_number or not isinstance(places, int) or places < 0:
        raise Untranslatable(f"round() of {term.kind}")
    sql = f"round(({term.sql})::numeric, {min(places, 30)})::float8"
    return Term(sql, Kind.NUMBER, is_rough=True)


def _random(says: Expressions, _: Sequence[Any]) -> Term:
    says.require(Volatility.VOLATILE, "random()")
    return Term(f"('x' || encode(substr({_RANDOM}, 1, 8), 'hex'))::bit(64)::bigint", Kind.INTEGER)


def _randomblob(says: Expressions, given: Sequence[Any]) -> Term:
    says.require(Volatility.VOLATILE, "randomblob()")
    count = says.value(given[0]).constant
    if not isinstance(count, int) or count > _RANDOM_BYTES:
        raise Untranslatable("randomblob() of many bytes")
    return Term(f"substr({_RANDOM}, 1, {max(count, 1)})", Kind.BLOB)


# --- what a value is ---------------------------------------------------------------------------


def _json_valid(says: Expressions, given: Sequence[Any]) -> Term:
    """Of a column of documents: PostgreSQL takes no other."""
    term = says.value(given[0])
    if term.place is None or not term.place.conversion.type.name.startswith("json"):
        raise Untranslatable("json_valid() of what is no document")
    return Term(f"({term.sql} IS NOT NULL OR NULL)", Kind.BOOLEAN)


_PATH = re.compile(r'\.([A-Za-z_][A-Za-z0-9_]*)|\."([^"\\]+)"|\[(\d{1,9})\]')


def member(document: Term, path: object) -> Term:
    """One member of a document, by a path such as ``$.a[0]``."""
    text = path if isinstance(path, str) else ""
    steps = list(_PATH.finditer(text, 1))
    if not steps or "$" + "".join(step[0] for step in steps) != text:
        raise Untranslatable("a path into a document that is no plain constant")
    is_json = document.place is not None and document.place.conversion.type.name.startswith("json")
    if not is_json and document.kind is not Kind.TEXT:
        raise Untranslatable(f"a member of {document.kind}")
    sql = document.sql if is_json else f"{document.sql}::json"
    keys = ", ".join(of_text(next(filter(None, step.groups()))).sql for step in steps)
    return Term(f"({sql} #>> ARRAY[{keys}])", Kind.MEMBER)


def arrow(document: Term, step: object) -> Term:
    """``document ->> step``: by a path, a key or a place in an array."""
    if isinstance(step, int) and step >= 0:
        return member(document, f"$[{step}]")
    if isinstance(step, str) and not step.startswith("$") and not set('"\\') & set(step):
        return member(document, f'$."{step}"')
    return member(document, step)


def _json_extract(says: Expressions, given: Sequence[Any]) -> Term:
    return member(says.value(given[0]), says.value(given[1]).constant)


_CLASSES = {Kind.INTEGER: "integer", Kind.TEXT: "text", Kind.BLOB: "blob"}


def _typeof(says: Expressions, given: Sequence[Any]) -> Term:
    """Of a column whose values all have one storage class."""
    term = says.value(given[0])
    if term.place is None or term.kind not in _CLASSES:
        raise Untranslatable("typeof() of a column of several classes")
    case = f"CASE WHEN {term.sql} IS NULL THEN 'null' ELSE '{_CLASSES[term.kind]}' END"
    return _text(f"({case})")


# --- moments -----------------------------------------------------------------------------------


def _moment(says: Expressions, given: Sequence[Any]) -> str:
    """The timestamp that a date function's arguments speak of."""
    says.require(Volatility.STABLE, "a moment as SQLite writes it")
    first = says.value(given[0]) if given else None
    modifiers = [_modifier(says, node) for node in given[1:]]
    if first is None or _is_now(first):
        return moments.moved(moments.CLOCK, modifiers)
    if first.kind is Kind.INTEGER and modifiers[:1] == ["unixepoch"]:
        epoch = f"(to_timestamp({first.sql}) AT TIME ZONE 'UTC')"
        return moments.moved(epoch, modifiers[1:])
    if first.place is not None and first.place.conversion.rule.startswith("epoch:"):
        modifiers = [word for word in modifiers if word != "unixepoch"]
    return moments.moved(moments.moment_of(first), modifiers)


def _is_now(term: Term) -> bool:
    return isinstance(term.constant, str) and term.constant.lower() == "now"


def _modifier(says: Expressions, node: Any) -> str:
    constant = says.value(node).constant
    if not isinstance(constant, str):
        raise Untranslatable("a modifier that is no constant")
    return constant.strip().lower()


def _spelled(spelling: str) -> Function:
    def say(says: Expressions, given: Sequence[Any]) -> Term:
        return moments.written(_moment(says, given), spelling)

    return say


def _strftime(says: Expressions, given: Sequence[Any]) -> Term:
    pattern = says.value(given[0]).constant
    if not isinstance(pattern, str):
        raise Untranslatable("strftime() of a format that is no constant")
    return moments.formatted(_moment(says, given[1:]), pattern)


def _unixepoch(says: Expressions, given: Sequence[Any]) -> Term:
    seconds = f"floor(extract(epoch FROM {_moment(says, given)}))::bigint"
    return Term(f"({seconds})", Kind.INTEGER, most=moments.LATEST)


def _julianday(says: Expressions, given: Sequence[Any]) -> Term:
    days = f"extract(epoch FROM {_moment(says, given)})::float8 / 86400 + 2440587.5"
    return Term(f"({days})", Kind.NUMBER, is_rough=True)


_FUNCTIONS: Mapping[str, tuple[Function, range]] = MappingProxyType(
    {
        "length": (_length, range(1, 2)),
        "lower": (_lower, range(1, 2)),
        "upper": (_upper, range(1, 2)),
        "trim": (_trimmed("btrim"), range(1, 3)),
        "ltrim": (_trimmed("ltrim"), range(1, 3)),
        "rtrim": (_trimmed("rtrim"), range(1, 3)),
        "substr": (_substr, range(2, 4)),
        "substring": (_substr, range(2, 4)),
        "replace": (_replace, range(3, 4)),
        "instr": (_instr, range(2, 3)),
        "hex": (_hex, range(1, 2)),
        "coalesce": (_coalesce, range(2, 128)),
        "ifnull": (_coalesce, range(2, 3)),
        "nullif": (_nullif, range(2, 3)),
        "iif": (_iif, range(2, 4)),
        "if": (_iif, range(2, 4)),
        "max": (_outermost("greatest"), range(2, 128)),
        "min": (_outermost("least"), range(2, 128)),
        "likely": (_likely, range(1, 2)),
        "unlikely": (_likely, range(1, 2)),
        "likelihood": (_likely, range(2, 3)),
        "abs": (_abs, range(1, 2)),
        "round": (_round, range(1, 3)),
        "random": (_random, range(1)),
        "randomblob": (_randomblob, range(1, 2)),
        "json_valid": (_json_valid, range(1, 2)),
        "json_extract": (_json_extract, range(2, 3)),
        "typeof": (_typeof, range(1, 2)),
        "date": (_spelled(moments.DATE), range(128)),
        "time": (_spelled(moments.TIME), range(128)),
        "datetime": (_spelled(moments.DATETIME), range(128)),
        "strftime": (_strftime, range(1, 128)),
        "unixepoch": (_unixepoch, range(128)),
        "julianday": (_julianday, range(128)),
    }
)
NAMES = frozenset(_FUNCTIONS)
"""The functions that can be said, in lower case."""
