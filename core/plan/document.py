"""A plan as a TOML document that a person reads, changes and hands back.

Only names, types, rules, ``carry``, ``accept`` and ``suppress`` are read back; the rest (declared types,
counts, what the census saw) is there for the reader. A document may leave tables
and columns out: those are decided by the census.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from core.errors import AcceptanceRefused, PlanDoesNotFit, PlanUnreadable
from core.plan.choices import Acceptance, Choices, ColumnChoice, TableChoice
from core.plan.model import ColumnPlan, Fate, Plan
from core.schema.model import Database
from core.values.exact import known
from core.values.types import Conversion, parse_type

VERSION = 1
_HEAD = """\
# A Mudanza plan: what each table and column of the source becomes in PostgreSQL.
# Change target, type, rule or carry, and give the file back with --plan.
"""


def write_document(plan: Plan) -> str:
    """The plan as TOML; equal plans give equal text."""
    return _HEAD + "\n".join(_lines(plan)) + "\n"


def digest(document: str) -> str:
    """SHA-256 of a plan's document, in hex."""
    return sha256(document.encode()).hexdigest()


def read_document(path: Path) -> Choices:
    """The choices in the document at ``path``.

    Raises PlanUnreadable when it is no plan.
    """
    try:
        return parse_document(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as refused:
        raise PlanUnreadable(path=str(path), detail=str(refused)) from refused


def parse_document(text: str, path: str) -> Choices:
    """The choices in a document; ``path`` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as refused:
        raise PlanUnreadable(path=path, detail=str(refused)) from refused
    if document.get("mudanza_plan") != VERSION:
        raise PlanUnreadable(path=path, detail=f"mudanza_plan = {VERSION} expected")
    tables = _named(document.get("table", []), path)
    return Choices(
        tables={name: _table_choice(name, entry, path) for name, entry in tables.items()},
        fold=_yes(document, "fold", path),
        adopt=_yes(document, "adopt", path),
        zone=_optional(document, "zone", path) or "",
        accepted=_acceptances(document, "accept", path),
        suppressed=_acceptances(document, "suppress", path),
    )


def check_fit(choices: Choices, database: Database, path: str) -> None:
    """Refuse choices for tables or columns that the source does not have, and
    names chosen twice. Raises PlanDoesNotFit."""
    tables = {t.name: t for t in database.tables if t.is_copied}
    for name, choice in choices.tables.items():
        if name not in tables:
            raise PlanDoesNotFit(path=path, detail=f"table {name!r}")
        columns = [c.name for c in tables[name].columns]
        for column in choice.columns:
            if column not in columns:
                raise PlanDoesNotFit(path=path, detail=f"column {name!r}.{column!r}")
        _check_once(path, name, [choices.column(name, c).target or c for c in columns])
    carried = [name for name in tables if choices.table(name).carried]
    _check_once(path, "table", [choices.table(name).target or name for name in carried])


def _check_once(path: str, where: str, targets: list[str]) -> None:
    for target, times in Counter(targets).items():
        if times > 1:
            raise PlanDoesNotFit(path=path, detail=f"{where}: target {target!r} twice")


# --- writing --------------------------------------------------------------------


def _lines(plan: Plan) -> Iterator[str]:
    yield f"mudanza_plan = {VERSION}"
    yield f"schema = {_string(plan.schema)}"
    if plan.fold:
        yield "fold = true"
    if plan.adopted:
        yield "adopt = true"
    if plan.zone:
        yield f"zone = {_string(plan.zone)}"
    for table in plan.tables:
        yield ""
        yield "[[table]]"
        yield f"name = {_string(table.name)}"
        yield f"target = {_string(table.target)}"
        yield "carry = true"
        if table.source.where:
            yield f"where = {_string(table.source.where)}"
            yield f"left_out = {table.left_out}"
        yield f"rows = {table.rows}"
        yield "columns = ["
        for column in table.columns:
            fields = {
                "name": column.source,
                "declared": column.declared,
                "target": column.target,
                **_conversion(column),
                "saw": column.saw,
            }
            if column.spelling:
                fields["spelling"] = column.spelling
            yield "  { " + ", ".join(f"{k} = {_string(v)}" for k, v in fields.items()) + " },"
        yield "]"
    yield from _left_out(plan)
    for word, said in (("accept", plan.accepted), ("suppress", plan.suppressed)):
        for acceptance in said:
            yield ""
            yield from acceptance_lines(word, acceptance)
    yield from _fates(plan)


def acceptance_lines(word: str, acceptance: Acceptance) -> Iterator[str]:
    """The lines of a plan that accept a finding, or suppress it."""
    yield f"[[{word}]]"
    yield f"finding = {_string(acceptance.finding)}"
    if acceptance.object:
        yield f"object = {_string(acceptance.object)}"
    yield f"reason = {_string(acceptance.reason)}"


def conversion_lines(table: str, column: str, conversion: Conversion) -> Iterator[str]:
    """The lines of a plan that give one column its type and rule."""
    fields = {"name": column, "type": conversion.type.sql, "rule": conversion.rule}
    yield "[[table]]"
    yield f"name = {_string(table)}"
    written = ", ".join(f"{k} = {_string(v)}" for k, v in fields.items())
    yield f"columns = [ {{ {written} }} ]"


def _conversion(column: ColumnPlan) -> dict[str, str]:
    """Type and rule, to be changed; those of a type that only the target knows, to be read."""
    own = column.type.given
    return {"into" if own else "type": column.type.sql, "as" if own else "rule": column.rule}


def _left_out(plan: Plan) -> Iterator[str]:
    for item in plan.objects:
        if item.kind == "table" and item.reason == "left_out":
            yield ""
            yield "[[table]]"
            yield f"name = {_string(item.name)}"
            yield "carry = false"


def _fates(plan: Plan) -> Iterator[str]:
    yield ""
    yield "# What does not arrive as it was:"
    for item in plan.objects:
        if item.fate is not Fate.CARRIED:
            facts = "".join(f" {name}={value}" for name, value in item.facts.items())
            yield _comment(f"{item.fate.value}: {item.kind} {item.name} ({item.reason}{facts})")


def _comment(text: str) -> str:
    return "# " + "".join(c if c.isprintable() else " " for c in text)


def _string(text: str) -> str:
    # JSON strings are TOML basic strings, but for DEL and lone surrogates.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


# --- reading --------------------------------------------------------------------


def _named(entries: object, path: str) -> Mapping[str, Mapping[str, object]]:
    if not isinstance(entries, list):
        raise PlanUnreadable(path=path, detail="[[table]] and columns are lists")
    named: dict[str, Mapping[str, object]] = {}
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name in named:
            raise PlanUnreadable(path=path, detail=f"name = {name!r}")
        named[name] = entry
    return named


def _acceptances(document: Mapping[str, object], word: str, path: str) -> tuple[Acceptance, ...]:
    entries = document.get(word, [])
    if not isinstance(entries, list):
        raise PlanUnreadable(path=path, detail=f"[[{word}]] is a list")
    return tuple(_acceptance(entry, word, path) for entry in entries)


def _acceptance(entry: object, word: str, path: str) -> Acceptance:
    """Raises PlanUnreadable, and AcceptanceRefused for one that gives no reason."""
    said = dict(entry) if isinstance(entry, dict) else {}
    named = {key: _optional(said, key, path) or "" for key in ("finding", "object", "reason")}
    if unknown := sorted(said.keys() - named.keys()):
        raise PlanUnreadable(path=path, detail=f"[[{word}]] {unknown[0]}")
    for key, value in named.items():
        if not value.strip() and not (key == "object" and word == "suppress"):
            raise AcceptanceRefused(
                path=path, finding=named["finding"], object=named["object"], missing=key
            )
    return Acceptance(**named)


def _table_choice(name: str, entry: Mapping[str, object], path: str) -> TableChoice:
    columns = _named(entry.get("columns", []), path)
    return TableChoice(
        carry=_yes(entry, "carry", path, default=True),
        target=_optional(entry, "target", path),
        where=_optional(entry, "where", path) or "",
        columns={c: _column_choice(f"{name}.{c}", e, path) for c, e in columns.items()},
    )


def _column_choice(where: str, entry: Mapping[str, object], path: str) -> ColumnChoice:
    type_text, rule = _optional(entry, "type", path), _optional(entry, "rule", path)
    target = _optional(entry, "target", path)
    if type_text is None and rule is None:
        return ColumnChoice(target=target)
    kind = parse_type(type_text or "")
    if kind is None or rule is None or not known(Conversion(kind, rule)):
        detail = f"{where}: type = {type_text!r}, rule = {rule!r}"
        raise PlanUnreadable(path=path, detail=detail)
    return ColumnChoice(target=target, conversion=Conversion(kind, rule))


def _yes(entry: Mapping[str, object], key: str, path: str, *, default: bool = False) -> bool:
    value = entry.get(key, default)
    if not isinstance(value, bool):
        raise PlanUnreadable(path=path, detail=f"{key} = {value!r}")
    return value


def _optional(entry: Mapping[str, object], key: str, path: str) -> str | None:
    value = entry.get(key)
    if value is not None and (not isinstance(value, str) or "\x00" in value):
        raise PlanUnreadable(path=path, detail=f"{key} = {value!r}")
    return value
