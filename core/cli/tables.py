"""How a table, a page of lines, a time and an object's fate are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape
from rich.table import Table

from core.cli.speaking import out, tell
from core.plan import ObjectFate

_COPIED_WHOLE = ("column.run",)
"""Columns that are never folded: people copy what stands there."""


def table(
    title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]]
) -> Table:
    """A table whose columns are (sentence id, justification)."""
    made = Table(title=tell(title), title_justify="left", header_style="bold")
    for sentence, justify in columns:
        made.add_column(
            tell(sentence),
            justify=justify,  # type: ignore[arg-type]
            overflow="fold",
            no_wrap=sentence in _COPIED_WHOLE,
        )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def page(lines: Iterable[tuple[str, object]]) -> Table:
    """Lines of a sentence id and what is to be said under it."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for sentence, said in lines:
        made.add_row(tell(sentence), cell(said))
    return made


def cell(value: object) -> str:
    """A value as a table shows it: what does not print is made visible."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return escape(shown)


_LONGEST = 100
"""How much of a statement a table has room for."""


def shortened(text: str, longest: int | None) -> str:
    """The text, or its beginning where it is longer."""
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def reason_of(fate: ObjectFate, *, longest: int | None = None) -> str:
    """Why an object did not arrive as it was; its facts cut off where they are ``longest``."""
    facts = {name: shortened(fact, longest) for name, fact in fate.facts.items()}
    said = tell(f"fate.{fate.reason}", **facts) if fate.reason else ""
    accepted = fate.facts.get("accepted")
    return said if accepted is None else f"{said} ({tell('result.accepted', reason=accepted)})"


def moment(at: datetime) -> str:
    """A time as people read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


# --- objects -----------------------------------------------------------------------------


def fate_document(fate: ObjectFate) -> dict[str, Any]:
    """An object's fate for programs: the reason as an id and as a sentence."""
    return {
        "kind": fate.kind,
        "name": fate.name,
        "table": fate.table,
        "reason": fate.reason,
        "says": reason_of(fate),
        "counts": fate.counts,
    }


def print_left_out(rows: int) -> None:
    """How many rows a filter left out; nothing when there are none."""
    if rows:
        out.print(tell("result.left_out", rows=f"{rows:,}"))


def print_fates(title: str, fates: Sequence[ObjectFate]) -> None:
    """Objects with their reasons; nothing when there are none."""
    if fates:
        columns = (("column.kind", "left"), ("column.name", "left"), ("column.reason", "left"))
        rows = ((tell(f"kind.{o.kind}"), o.name, reason_of(o, longest=_LONGEST)) for o in fates)
        out.print(table(title, columns, rows))
