"""A CREATE TRIGGER, said as a function of PL/pgSQL and a trigger that calls it.

SQLite runs a trigger's program right after each row, and never within itself
(https://sqlite.org/lang_createtrigger.html, recursive_triggers is off). PostgreSQL runs it
at the statement's end, and again whenever its own changes ask for it: what may come back to
itself sets a mark for as long as it runs, and does not fire while the mark is set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import TriggerTiming, UpsertAction  # type: ignore[import-untyped]

from core.dialect.lookups import Lookups
from core.dialect.statements import Body, said_statement
from core.dialect.subjects import Row, World, subject_of
from core.dialect.terms import Untranslatable
from core.schema.declarations import parsed_statement
from core.schema.names import fold, unquoted
from core.source.rows import quoted

Event = tuple[str, str]
"""A table by its folded name, and what happens to it: INSERT, UPDATE or DELETE."""

_MARK_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A CREATE TRIGGER that was read: when it fires, what by itself it sets off, and whether
    it does nothing but change tables."""

    event: Event
    timing: str
    sets_off: frozenset[Event]
    only_changes: bool
    tree: Any


def read_trigger(sql: str) -> Trigger:
    """The trigger that ``sql`` makes. Raises Untranslatable for anything else."""
    tree = parsed_statement(sql)
    if not isinstance(tree, nodes.CreateTriggerStmt):
        raise Untranslatable("what is not one statement")
    timing = "AFTER" if tree.timing is TriggerTiming.AFTER else "BEFORE"
    return Trigger(
        event=(fold(tree.table.object_name.source), tree.event.event_type.name),
        timing="INSTEAD OF" if tree.timing is TriggerTiming.INSTEAD_OF else timing,
        sets_off=frozenset(event for node in tree.body for event in _sets_off(node)),
        only_changes=all(any(_sets_off(node)) for node in tree.body),
        tree=tree,
    )


def _sets_off(node: Any) -> Iterator[Event]:
    match node:
        case nodes.InsertStmt():
            table = fold(unquoted(node.table.table_name))
            yield table, "INSERT"
            if any(clause.action is UpsertAction.UPDATE for clause in node.upsert or ()):
                yield table, "UPDATE"
        case nodes.UpdateStmt():
            yield fold(unquoted(node.table.table_name)), "UPDATE"
        case nodes.DeleteStmt():
            yield fold(unquoted(node.table.table_name)), "DELETE"


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What the pair is called: the schema, the trigger, its function. ``mark``: whether it
    may come back to itself, and so needs one."""

    schema: str
    trigger: str
    function: str
    mark: bool = False

    @property
    def setting(self) -> str:
        """The setting that is on while the trigger runs, '' for one without a mark."""
        if not self.mark:
            return ""
        digest = sha256(f"{self.schema}.{self.trigger}".encode()).hexdigest()[:8]
        plain = re.sub(r"[^a-z0-9]+", "_", self.trigger.lower())[:_MARK_LENGTH].strip("_")
        return f"firing.t_{plain}_{digest}"


def said_trigger(trigger: Trigger, naming: Naming, world: World) -> str:
    """The two statements. Raises Untranslatable."""
    try:
        return _Said(trigger, naming, world).statements()
    except RecursionError:
        raise Untranslatable("an expression of too many levels") from None


class _Said:
    """One trigger on its way into words."""

    def __init__(self, trigger: Trigger, naming: Naming, world: World) -> None:
        self._trigger, self._naming, self._world = trigger, naming, world
        self._subject = subject_of(world, trigger.event[0])
        self._verb = trigger.event[1]
        self._is_after = trigger.timing == "AFTER"
        self._body = Body(
            world=world,
            rows=tuple(self._rows()),
            ignore="" if self._is_after else "RETURN NULL",
        )
        if (trigger.timing == "INSTEAD OF") != self._subject.is_view:
            raise Untranslatable(f"{trigger.timing} on {self._subject.name}")

    def statements(self) -> str:
        if not self._is_after and self._naming.mark:
            raise Untranslatable("a change to the very table that it fires before")
        asked, within = self._when()
        said = [said_statement(self._body, node) for node in self._trigger.tree.body]
        self._require_kept_key()
        return f"{self._function(within, said)};\n{self._create(asked)}"

    # --- the rows that it speaks of

    def _rows(self) -> Iterator[Row]:
        found = "NEW" if self._is_after and self._verb != "DELETE" else ""
        if self._verb != "DELETE":
            yield self._row("NEW", found, self._unknown())
        if self._verb != "INSERT":
            yield self._row("OLD", found, frozenset())

    def _row(self, name: str, found: str, hidden: frozenset[str]) -> Row:
        return Row(
            subject=self._subject,
            called=name,
            alias=name,
            is_bare=False,
            # What is generated is not computed yet, or never kept.
            hidden=hidden | self._subject.generated,
            found_as=found,
        )

    def _unknown(self) -> frozenset[str]:
        """What is not known of a new row before it is there: its number."""
        if self._trigger.timing == "BEFORE" and self._verb == "INSERT":
            return frozenset({self._subject.rowid} - {""})
        return frozenset()

    def _require_kept_key(self) -> None:
        """A row is found again by its key, so the body may give it no other."""
        key = {fold(name) for name in (*self._subject.keys, ())[0]}
        own = [node for node in self._trigger.tree.body if self._is_own_update(node)]
        names = {fold(unquoted(c.column)) for node in own for c in node.setlist if c.column}
        if key & names and not self._subject.rowid:
            raise Untranslatable("a change of the key that finds the row")

    def _is_own_update(self, node: Any) -> bool:
        own = self._trigger.event[0]
        return isinstance(node, nodes.UpdateStmt) and fold(unquoted(node.table.table_name)) == own

    # --- the condition

    def _when(self) -> tuple[list[str], str]:
        """The conditions that PostgreSQL's WHEN holds, and what only the function can ask."""
        setting = self._naming.setting
        mark = [f"coalesce(current_setting('{setting}', true), '') <> 'on'"] if setting else []
        condition = self._trigger.tree.when_expr
        if condition is None:
            return mark, ""
        says = Lookups(self._world, self._body.rows)
        said = says.condition(condition)
        if says.asked or self._subject.is_view:
            return mark, said
        return [*mark, f"({said})" if mark else said], ""

    # --- the two statements

    def _create(self, asked: list[str]) -> str:
        naming = self._naming
        when = f" WHEN ({' AND '.join(asked)})" if asked else ""
        return (
            f"CREATE TRIGGER {quoted(naming.trigger)} {self._trigger.timing} {self._event()}"
            f" ON {self._subject.target}\nFOR EACH ROW{when}"
            f" EXECUTE FUNCTION {quoted(naming.schema)}.{quoted(naming.function)}()"
        )

    def _event(self) -> str:
        named = self._trigger.tree.event.columns
        if not named:
            return self._verb
        if self._subject.is_view:
            raise Untranslatable("INSTEAD OF UPDATE OF")
        places = [self._subject.place(node.column) for node in named]
        if None in places:
            raise Untranslatable("UPDATE OF a column that is not carried")
        return f"UPDATE OF {', '.join(quoted(place.target) for place in places if place)}"

    def _function(self, within: str, said: list[str]) -> str:
        naming, setting = self._naming, self._naming.setting
        lines = [f"{statement};" for statement in said]
        if setting:
            lines.insert(0, f"PERFORM set_config('{setting}', 'on', true);")
            lines.append(f"PERFORM set_config('{setting}', '', true);")
        if within:
            lines = [f"IF {within} THEN", *(f"  {line}" for line in lines), "END IF;"]
        body = "".join(f"  {line}\n" for line in lines)
        text = f"\nBEGIN\n{body}  RETURN {self._returned()};\nEND\n"
        quote = _quote(text)
        return (
            f"CREATE FUNCTION {quoted(naming.schema)}.{quoted(naming.function)}() RETURNS trigger\n"
            f"LANGUAGE plpgsql SET search_path = pg_catalog, {quoted(naming.schema)}, pg_temp"
            f" AS {quote}{text}{quote}"
        )

    def _returned(self) -> str:
        if self._is_after:
            return "NULL"
        return "OLD" if self._verb == "DELETE" else "NEW"


def _quote(text: str) -> str:
    """A dollar quote that does not occur in the text."""
    quote, number = "$$", 0
    while quote[:-1] in text:
        number += 1
        quote = f"$body{number}$"
    return quote
