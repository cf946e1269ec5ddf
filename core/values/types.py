"""PostgreSQL types Mudanza carries values into, and the rule that says how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BIGINT = "bigint"
DOUBLE = "double precision"
NUMERIC = "numeric"
BOOLEAN = "boolean"
TEXT = "text"
VARCHAR = "varchar"
BYTEA = "bytea"
DATE = "date"
TIME = "time"
TIMESTAMP = "timestamp"
TIMESTAMPTZ = "timestamptz"
JSON = "json"
JSONB = "jsonb"
UUID = "uuid"

NAMES = (
    BIGINT,
    DOUBLE,
    NUMERIC,
    BOOLEAN,
    TEXT,
    VARCHAR,
    BYTEA,
    DATE,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    JSON,
    JSONB,
    UUID,
)
TEXTS = (TEXT, VARCHAR)
NUMERIC_PRECISION_MAX = 1000
# How texts write false and true.
BOOLEAN_WORDS = (
    ("f", "t"),
    ("F", "T"),
    ("false", "true"),
    ("False", "True"),
    ("FALSE", "TRUE"),
    ("n", "y"),
    ("N", "Y"),
)
VARCHAR_LENGTH_MAX = 10_485_760
# Rules that a person may put after the first one, and what comes of them is listed.
LATIN_1, REPLACE, TO_NULL = "latin-1", "replace", "null"
ALTERING = (LATIN_1, REPLACE, TO_NULL)


@dataclass(frozen=True)
class TargetType:
    """A PostgreSQL type. ``length`` counts characters (varchar); ``precision`` and
    ``scale`` count decimal digits (numeric); None means without a limit."""

    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def sql(self) -> str:
        """The type as DDL spells it."""
        if self.length is not None:
            return f"{self.name}({self.length})"
        if self.precision is not None:
            return f"{self.name}({self.precision},{self.scale or 0})"
        return self.name


def parse_type(text: str) -> TargetType | None:
    """The type written as :attr:`TargetType.sql` writes it, or None."""
    name, _, arguments = text.strip().lower().partition("(")
    name = name.strip()
    if name not in NAMES:
        return None
    if not arguments:
        return TargetType(name)
    try:
        numbers = [int(part) for part in arguments.rstrip(") ").split(",")]
    except ValueError:
        return None
    if name == VARCHAR and len(numbers) == 1 and 1 <= numbers[0] <= VARCHAR_LENGTH_MAX:
        return TargetType(name, length=numbers[0])
    if name == NUMERIC and len(numbers) in (1, 2) and 1 <= numbers[0] <= NUMERIC_PRECISION_MAX:
        return TargetType(name, precision=numbers[0], scale=numbers[1] if numbers[1:] else 0)
    return None


class Purity(StrEnum):
    """What a column's values are in SQLite, NULL apart: of one storage class; NUMBER:
    integers and reals, each exact in a double; EMPTY: none at all; MIXED: anything else."""

    EMPTY = "empty"
    INTEGER = "integer"
    REAL = "real"
    NUMBER = "number"
    TEXT = "text"
    BLOB = "blob"
    MIXED = "mixed"


@dataclass(frozen=True)
class Conversion:
    """How values of one column become values of ``type``.

    ``rule`` is one of: ``integer``, ``real``, ``decimal``, ``text``, ``spelled``
    (numbers as their spelling), ``bytes``, ``bytes:spelled``, ``boolean:A/B`` (B is
    true), ``iso``, ``epoch:UNIT``, ``json``, ``uuid``; or several of them with ``|``
    between: what the first does not take is tried by the next. After the first may
    also stand ``latin-1``, ``replace`` and, at the end, ``null``.
    """

    type: TargetType
    rule: str

    @property
    def steps(self) -> tuple[Conversion, ...]:
        """The rules by themselves, in the order in which they are tried."""
        return tuple(Conversion(self.type, rule) for rule in self.rule.split("|"))

    @property
    def first(self) -> Conversion:
        """The rule of the values that fit."""
        return self.steps[0]

    @property
    def alters(self) -> bool:
        """Whether it may make of a value what the value is not."""
        return any(step.rule in ALTERING for step in self.steps[1:])

    @property
    def injective(self) -> bool:
        """Whether values that SQLite holds apart always stay apart."""
        # Not "decimal": a large REAL becomes its shortest spelling, which may be another
        # INTEGER of the column.
        if "|" in self.rule:
            return False  # nobody has compared what two rules make
        if self.rule in ("integer", "real", "text"):
            return True
        return self.rule.startswith("boolean:") or (
            self.rule.startswith("epoch:") and self.rule != "epoch:julian"
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a value cannot become one of its column's type: a reason id of the
    catalogue (``reject.<reason>``), and the rule that refused it."""

    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Altered:
    """What a value arrives as that no rule takes as it is: ``wire`` in PostgreSQL's form,
    and the reason for which it would have been rejected."""

    wire: bytes | None
    reason: str
