"""What a tool says of its own work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An object that the tool names as changed (``rewritten``) or left behind."""

    kind: str
    name: str
    table: str
    reason: str
    rewritten: bool = False


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All that a tool said.

    ``rejected`` has the keys of the rows that it set aside, by table, as it shows them;
    ``rejected_rows`` only how many, from a tool that shows no keys. ``tables`` and
    ``columns`` are the names that it recorded as changed. ``refused``: why it did nothing
    at all; ``failed``: that it gave up on the whole, in its own words.
    """

    exit_code: int
    objects: tuple[Listed, ...] = ()
    rejected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rejected_rows: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    refused: str = ""
    failed: str = ""

    def says(
        self, kinds: Iterable[str], table: str, *names: str, part: bool = False
    ) -> Listed | None:
        """What it says of an object: the first entry of one of the ``kinds`` on ``table``
        with one of the ``names``; spaces, case and quotes apart. ``part``: the entry's name
        need only hold one of them."""
        wanted = [_plain(each) for each in names if each]
        for each in self.objects:
            on = not each.table or _plain(each.table) == _plain(table)
            name = _plain(each.name)
            if each.kind in kinds and on and any(n == name or (part and n in name) for n in wanted):
                return each
        return None

    def says_of_table(self, table: str) -> Listed | None:
        """What it says of a whole table that is left behind."""
        kinds = ("table", "virtual_table", "shadow_table")
        return next(
            (
                e
                for e in self.objects
                if e.kind in kinds and _plain(e.name) == _plain(table) and not e.rewritten
            ),
            None,
        )


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if not c.isspace() and c not in '"`[]')
