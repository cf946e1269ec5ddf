"""Signs, sums, products and quotients.

SQLite adds INTEGERs of 64 bits and goes on with a rounded REAL past them, divides whole
numbers to whole ones and by nought to NULL, and knows decimals as REALs only
(https://sqlite.org/lang_expr.html). What is said does the same without ever being an error
over whole numbers: tomorrow's row may be larger than all that were carried.
"""

from __future__ import annotations

from core.dialect.terms import Kind, Term, Untranslatable, bare


def signed(term: Term, is_minus: bool) -> Term:
    """The number with a sign before it."""
    if not term.is_number:
        raise Untranslatable("a sign before what is no number")
    if not is_minus:
        return bare(term)
    if isinstance(term.constant, int | float):
        constant = -term.constant
        return Term(f"({constant!r})", term.kind, constant=constant, most=term.most)
    return Term(f"(-({_wide(term)}))", term.kind, most=term.most, is_rough=term.is_rough)


def combined(left: Term, sign: str, right: Term, *, is_proven: bool) -> Term:
    """``left sign right``. ``is_proven``: whether the outcome is compared over the rows."""
    if Kind.NULL in (left.kind, right.kind):
        return Term("NULL::bigint", Kind.NULL)
    left, right = _number(left), _number(right)
    if left.kind is right.kind is Kind.INTEGER:
        return _whole(left, sign, right, is_proven=is_proven)
    return _real(left, sign, right, is_proven=is_proven)


def _number(term: Term) -> Term:
    if term.kind is Kind.BOOLEAN and term.place is not None:
        return Term(f"({term.sql})::int", Kind.INTEGER, most=1)
    if not term.is_number:
        raise Untranslatable("a sum of what SQLite adds otherwise")
    return term


# --- whole numbers --------------------------------------------------------------------


def _whole(left: Term, sign: str, right: Term, *, is_proven: bool) -> Term:
    unknown = left.most is None or right.most is None
    most = None if is_proven and unknown else _reach(sign, left.most, right.most)
    if sign in "/%":
        word = "div" if sign == "/" else "mod"
        return Term(f"{word}({_wide(left)}, {_divisor(right)})", Kind.INTEGER, most=most)
    return Term(f"({_wide(left)} {sign} {_wide(right)})", Kind.INTEGER, most=most)


def _divisor(term: Term) -> str:
    return _wide(term) if term.constant else f"nullif({_wide(term)}, 0)"


def _reach(sign: str, left: int | None, right: int | None) -> int:
    """How large the outcome is at most."""
    if left is None or right is None:
        raise Untranslatable("a sum of unknown size")
    most = {"*": left * right, "/": left, "%": min(left, right)}.get(sign, left + right)
    if most >= 1 << 63:
        raise Untranslatable("a sum past 64 bits")
    return most


def _wide(term: Term) -> str:
    """No row that was carried goes past 64 bits; one of tomorrow must not be an error."""
    return f"{term.sql}::numeric" if term.kind is Kind.INTEGER else term.sql


# --- REALs ------------------------------------------------------------------------------


def _real(left: Term, sign: str, right: Term, *, is_proven: bool) -> Term:
    decimal = left.is_decimal or right.is_decimal
    if decimal and not is_proven:
        raise Untranslatable("a sum of decimals, which SQLite adds as REALs")
    if sign == "%":
        raise Untranslatable("a remainder of REALs")
    if any(term.place is not None and not term.place.is_finite for term in (left, right)):
        raise Untranslatable("a sum of infinite REALs")  # SQLite knows no NaN, but NULL
    is_rough = decimal or left.is_rough or right.is_rough
    ours, theirs = (_double(term, decimal=decimal) for term in (left, right))
    if sign == "/":
        theirs = theirs if right.constant else f"nullif({theirs}, 0)"
    return Term(f"({ours} {sign} {theirs})", Kind.NUMBER, is_rough=is_rough, is_decimal=decimal)


def _double(term: Term, *, decimal: bool) -> str:
    if decimal:
        return term.sql
    return term.sql if term.kind is Kind.NUMBER and term.constant is None else f"{term.sql}::float8"
