"""Five hundred files, each by its number and the seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw

from tests.malformed import harms
from tests.malformed.hostile import HOSTILE, hostile
from tests.malformed.sound import Files, sound

SEED = 20_261_124
COUNT = 500

_BYTES: dict[str, Callable[[Random, Files], Files]] = {
    each.__name__: each
    for each in (
        harms.flipped_bits, harms.cut, harms.header, harms.encoding, harms.page, harms.free_pages, harms.cells,
        harms.wal, harms.journal,
    )
}  # fmt: skip
WAYS = (*_BYTES, *HOSTILE)
"""How a file is harmed, by name; numbers go round them."""


@dataclass(frozen=True, kw_only=True)
class Forged:
    """A harmed database that lies at ``path``."""

    number: int
    way: str
    path: Path


def forge(numbers: Sequence[int], folder: Path) -> Iterator[Forged]:
    """The files of these numbers, in ``folder``."""
    workplace = folder / "workplace"
    workplace.mkdir()
    bases = sound(workplace)
    for number in numbers:
        chance = Random(f"{SEED}/{number}")
        way = WAYS[number % len(WAYS)]
        files = _harmed(chance, way, bases, workplace)
        path = folder / f"{number:03}.db"
        for kind, body in files.items():
            Path(f"{path}{kind}").write_bytes(body)
        yield Forged(number=number, way=way, path=path)


def _harmed(chance: Random, way: str, bases: dict[str, Files], folder: Path) -> Files:
    if way in HOSTILE:
        base = bases[chance.choice(("ordinary", "many kinds", "UTF-16"))]
        try:
            return hostile(chance, base, folder, HOSTILE[way])
        except apsw.Error:  # SQLite will not even write it down
            (folder / "hostile").unlink(missing_ok=True)
            return harms.flipped_bits(chance, base)
    base = bases["with a WAL" if way == "wal" else chance.choice(list(bases))]
    return _BYTES[way](chance, base)
