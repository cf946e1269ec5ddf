"""A case folder, and what a database holds, as the same frozen values.

``expected.toml`` says all that must be true afterwards. ``∅`` is NULL. What a
table leaves out must not be there: no ``defaults`` means that no column has one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NULL = "∅"
EXHAUSTED = "exhausted"
CASES = Path(__file__).parent

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class TableState:
    """One table of the target as PostgreSQL prints it.

    ``columns``: name to type, in order. ``defaults``: of columns that have one.
    ``keys``: its constraints and further indexes, as the server writes them,
    in the order of their text: builds run side by side.
    ``rows``: by primary key, without one in the order of their text.
    """

    columns: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    rows: Rows = ()


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """One view of the target as PostgreSQL prints it, its rows in the order of their text.
    ``proof``: what verification says of it, and why if nothing is proven."""

    columns: Mapping[str, str]
    rows: Rows = ()
    proof: str = "equal"


@dataclass(frozen=True, order=True, kw_only=True)
class Aside:
    """A row in quarantine, once per value to blame; without one for a duplicate."""

    table: str
    key: str
    reason: str
    column: str = ""
    storage_class: str = ""
    raw: bytes = b""


@dataclass(frozen=True, order=True, kw_only=True)
class Fate:
    """An object that did not simply arrive."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that a case is about. ``next``: what each generated key hands out next."""

    exit_code: int
    tables: Mapping[str, TableState]
    quarantined: tuple[Aside, ...] = ()
    fates: tuple[Fate, ...] = ()
    next: Mapping[str, int | str] = field(default_factory=dict)
    views: Mapping[str, ViewState] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A folder: ``source``, ``plan`` (None for no choices), ``traps`` and ``expected``."""

    name: str
    source: str
    plan: str | None
    traps: tuple[int, ...]
    expected: Outcome


class MisreadCase(Exception):
    """The folder says something that would not be checked."""


def case_names() -> list[str]:
    return sorted(f.name for f in CASES.iterdir() if f.is_dir() and f.name != "__pycache__")


def read_case(name: str) -> Case:
    folder = CASES / name
    _require_files(folder)
    document = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    plan = folder / "plan.toml"
    return Case(
        name=name,
        source=(folder / "source.sql").read_text(encoding="utf-8"),
        plan=plan.read_text(encoding="utf-8") if plan.exists() else None,
        traps=tuple(document.pop("traps", ())),
        expected=read_outcome(name, document),
    )


def read_outcome(where: str, document: Mapping[str, Any]) -> Outcome:
    _only(where, document, {"exit_code", "table", "quarantined", "fates", "next", "view"})
    tables = _need(where, document, "table")
    return Outcome(
        exit_code=_need(where, document, "exit_code"),
        tables={name: _table(f"{where}: {name}", t) for name, t in tables.items()},
        quarantined=tuple(
            sorted(_aside(where, entry) for entry in document.get("quarantined", ()))
        ),
        fates=tuple(sorted(_fate(where, entry) for entry in document.get("fates", ()))),
        next=document.get("next", {}),
        views={name: _view(f"{where}: {name}", v) for name, v in document.get("view", {}).items()},
    )


def _require_files(folder: Path) -> None:
    found = {file.name for file in folder.iterdir()}
    missing = {"source.sql", "expected.toml", "why.md"} - found
    strange = found - {"source.sql", "expected.toml", "why.md", "plan.toml"}
    if missing or strange:
        raise MisreadCase(f"{folder.name}: missing {missing}, strange {strange}")


def _table(where: str, entry: Mapping[str, Any]) -> TableState:
    _only(where, entry, {"columns", "defaults", "keys", "rows"})
    columns, rows = _columns_and_rows(where, entry)
    return TableState(
        columns=columns,
        defaults=entry.get("defaults", {}),
        keys=tuple(sorted(entry.get("keys", ()))),
        rows=rows if _has_key(entry) else tuple(sorted(rows)),
    )


def _view(where: str, entry: Mapping[str, Any]) -> ViewState:
    _only(where, entry, {"columns", "rows", "proof"})
    columns, rows = _columns_and_rows(where, entry)
    return ViewState(columns=columns, rows=tuple(sorted(rows)), proof=entry.get("proof", "equal"))


def _columns_and_rows(where: str, entry: Mapping[str, Any]) -> tuple[Mapping[str, str], Rows]:
    columns = _need(where, entry, "columns")
    rows = tuple(tuple(row) for row in _need(where, entry, "rows"))
    for row in rows:
        if len(row) != len(columns) or not all(isinstance(value, str) for value in row):
            raise MisreadCase(f"{where}: {row!r}")
    return columns, rows


def _has_key(entry: Mapping[str, Any]) -> bool:
    return any(key.startswith("PRIMARY KEY") for key in entry.get("keys", ()))


_RAW: Mapping[str, Callable[[str], bytes]] = {"text": str.encode, "hex": bytes.fromhex}


def _aside(where: str, entry: Mapping[str, Any]) -> Aside:
    _only(where, entry, {"table", "key", "reason", "column", "class", *_RAW})
    raws = [decode(entry[name]) for name, decode in _RAW.items() if name in entry]
    if len(raws) != ("column" in entry) or ("class" in entry) != ("column" in entry):
        raise MisreadCase(f"{where}: column, class and text or hex belong together: {entry!r}")
    return Aside(
        table=_need(where, entry, "table"),
        key=_need(where, entry, "key"),
        reason=_need(where, entry, "reason"),
        column=entry.get("column", ""),
        storage_class=entry.get("class", ""),
        raw=b"".join(raws),
    )


def _fate(where: str, entry: Mapping[str, Any]) -> Fate:
    _only(where, entry, {"kind", "name", "reason"})
    return Fate(**{name: _need(where, entry, name) for name in ("kind", "name", "reason")})


def _only(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    if strange := set(entry) - known:
        raise MisreadCase(f"{where}: nobody checks {sorted(strange)}")


def _need(where: str, entry: Mapping[str, Any], name: str) -> Any:
    if name not in entry:
        raise MisreadCase(f"{where}: {name} is missing")
    return entry[name]
