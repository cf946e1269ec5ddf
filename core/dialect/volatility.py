"""How steady an expression must be, in PostgreSQL's words."""

from enum import IntEnum


class Volatility(IntEnum):
    """How an expression may change between two looks at one row: never, within no
    statement, at any time."""

    IMMUTABLE = 0
    STABLE = 1
    VOLATILE = 2
