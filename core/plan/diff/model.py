"""What may differ between a target's schema and its plan, how grave that is, and in
which order it is mended. A difference is a value, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What sort of object differs."""

    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"
    PRIMARY_KEY = "primary_key"
    UNIQUE = "unique"
    INDEX = "index"
    CHECK = "check"
    FOREIGN_KEY = "foreign_key"
    FUNCTION = "function"
    VIEW = "view"
    TRIGGER = "trigger"
    SEQUENCE = "sequence"


class Aspect(StrEnum):
    """In what it differs."""

    MISSING = "missing"
    EXTRA = "extra"
    RENAMED = "renamed"
    DEFINITION = "definition"
    TYPE = "type"
    GENERATED = "generated"
    NULLABILITY = "nullability"
    DEFAULT = "default"
    IDENTITY = "identity"
    NOT_VALID = "not_valid"
    INVALID = "invalid"
    UNLOGGED = "unlogged"
    DISABLED = "disabled"
    COMMENT = "comment"
    BEHIND = "behind"


class Severity(StrEnum):
    """How grave a difference is.

    blocker: the application may fail, or wrong rows get in. warning: the target is slower
    or stricter than planned, or trusts less. note: nothing that rows or queries notice.
    """

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


class Why(StrEnum):
    """Why no statement can mend a difference."""

    VALUES_GONE = "values_gone"


_B, _W, _N = Severity.BLOCKER, Severity.WARNING, Severity.NOTE
# A sequence comes with its column.
_KINDS_MADE: tuple[Kind, ...] = tuple(kind for kind in Kind if kind is not Kind.SEQUENCE)

SEVERITIES: Mapping[Aspect, Mapping[Kind, Severity]] = {
    Aspect.MISSING: dict.fromkeys(_KINDS_MADE, _B) | {Kind.INDEX: _W},
    Aspect.EXTRA: {
        Kind.TABLE: _N,
        Kind.COLUMN: _W,
        Kind.PRIMARY_KEY: _W,
        Kind.UNIQUE: _W,
        Kind.INDEX: _N,
        Kind.CHECK: _W,
        Kind.FOREIGN_KEY: _W,
        Kind.VIEW: _N,
        Kind.TRIGGER: _W,
    },
    Aspect.RENAMED: {
        Kind.TABLE: _B,
        Kind.COLUMN: _B,
        Kind.PRIMARY_KEY: _N,
        Kind.UNIQUE: _N,
        Kind.INDEX: _N,
        Kind.CHECK: _N,
        Kind.FOREIGN_KEY: _N,
        Kind.SEQUENCE: _N,
    },
    Aspect.DEFINITION: {
        Kind.PRIMARY_KEY: _B,
        Kind.UNIQUE: _B,
        Kind.INDEX: _W,
        Kind.CHECK: _B,
        Kind.FOREIGN_KEY: _B,
        Kind.FUNCTION: _B,
        Kind.VIEW: _B,
        Kind.TRIGGER: _B,
    },
    Aspect.TYPE: {Kind.COLUMN: _B},
    Aspect.GENERATED: {Kind.COLUMN: _B},
    Aspect.NULLABILITY: {Kind.COLUMN: _B},
    Aspect.DEFAULT: {Kind.COLUMN: _B},
    Aspect.IDENTITY: {Kind.COLUMN: _B},
    Aspect.NOT_VALID: {Kind.CHECK: _W, Kind.FOREIGN_KEY: _W},
    Aspect.INVALID: {Kind.PRIMARY_KEY: _B, Kind.UNIQUE: _B, Kind.INDEX: _W},
    Aspect.UNLOGGED: {Kind.TABLE: _W},
    Aspect.DISABLED: {Kind.TRIGGER: _B},
    Aspect.COMMENT: {Kind.TABLE: _N, Kind.COLUMN: _N},
    Aspect.BEHIND: {Kind.SEQUENCE: _B},
}
"""The severity of every difference that there can be."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference. ``object`` has its name in the target, a table's part after the
    table's and a dot.

    ``source`` is how SQLite says it, as far as the plan remembers; ``expected`` what the
    plan makes of it; ``target`` what was found. Each is '' where there is nothing.
    ``drop`` and ``make`` are the statements that mend it, in this order; ``destructive``
    says that they drop rows or values. Without any, ``why`` is the reason.
    """

    object: str
    kind: Kind
    aspect: Aspect
    source: str = ""
    expected: str = ""
    target: str = ""
    drop: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    destructive: bool = False
    why: Why | None = None

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return SEVERITIES[self.aspect][self.kind]

    @property
    def mend(self) -> str:
        """The statements that mend it, to be executed as they stand; '' when none can."""
        return "\n".join(f"{statement};" for statement in (*self.drop, *self.make))


_DROPS = (
    Kind.TRIGGER,
    Kind.VIEW,
    Kind.FOREIGN_KEY,
    Kind.CHECK,
    Kind.INDEX,
    Kind.UNIQUE,
    Kind.PRIMARY_KEY,
    Kind.COLUMN,
    Kind.TABLE,
)
_MAKES = (
    (Aspect.MISSING, Kind.SCHEMA),
    (Aspect.RENAMED, Kind.TABLE),
    (Aspect.RENAMED, Kind.COLUMN),
    (Aspect.MISSING, Kind.FUNCTION),
    (Aspect.DEFINITION, Kind.FUNCTION),
    (Aspect.MISSING, Kind.TABLE),
    (Aspect.MISSING, Kind.COLUMN),
    (Aspect.GENERATED, Kind.COLUMN),
    (Aspect.TYPE, Kind.COLUMN),
)


def in_order(differences: Iterable[Difference]) -> list[Difference]:
    """Differences so that they can be mended one after the other: first what is extra goes,
    what depends on others before them, then the rest is made, what others depend on first."""
    return sorted(differences, key=_rank)


def _rank(difference: Difference) -> tuple[int, int]:
    if difference.aspect is Aspect.EXTRA:
        return 0, _DROPS.index(difference.kind)
    made = (difference.aspect, difference.kind)
    if made in _MAKES:
        return 1, _MAKES.index(made)
    return 2, list(Kind).index(difference.kind)


def statements(differences: Iterable[Difference]) -> list[tuple[Difference, str]]:
    """Every mending statement with its difference, in an order that works: all that is
    dropped goes before anything is made."""
    ordered = in_order(differences)
    dropping = sorted((d for d in ordered if d.kind in _DROPS), key=lambda d: _DROPS.index(d.kind))
    drops = [(d, statement) for d in dropping for statement in d.drop]
    return drops + [(d, statement) for d in ordered for statement in d.make]
