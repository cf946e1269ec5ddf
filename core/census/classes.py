"""Batches of a table, each column's storage classes known.

ADBC says int64 only of columns that are all INTEGER; of the others it says what it
turned them into. So SQLite is asked along with the values: where INTEGERs stand among
REALs, and whether anything else stands among texts and blobs.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from core.source.batches import Batch, BatchReader, Unsure
from core.source.rows import Row, TableSource, quoted


@dataclass(frozen=True)
class Classified:
    """Some rows as columns: each of one storage class besides NULL, but for the INTEGERs
    that ``integers`` has at their places."""

    columns: tuple[pa.Array, ...]
    integers: tuple[pa.Array | None, ...]
    batch: Batch


def classified(
    reader: BatchReader, source: TableSource, after: Row | None, batch_rows: int
) -> Generator[Classified, None, None]:
    """The rows past ``after``. Raises Unsure for what only the exact tally can count."""
    asked = [""] * len(source.columns)
    while True:
        extras = _questions(source.columns, asked)
        with closing(reader.batches(source, after, None, batch_rows, extras)) as batches:
            for batch in batches:
                needed = [_class(column) for column in batch.columns[: len(asked)]]
                if needed != asked:
                    asked = needed
                    break
                yield _answered(batch, asked)
                after = batch.hi
            else:
                return


def _class(column: pa.Array) -> str:
    """What is to be asked of a column that was read so."""
    if column.type == pa.float64():
        return "real"
    if column.type == pa.string():
        return "text"
    return "blob" if column.type == pa.binary() else ""


def _questions(columns: Sequence[str], asked: Sequence[str]) -> list[str]:
    """First the INTEGERs of each column of reals, then whether a row has a stray.

    SQLite sorts numbers before texts and texts before blobs, whatever they are: that is
    asked faster than :func:`typeof`. A NULL is no answer, and no stray.
    """
    named = list(zip(map(quoted, columns), asked, strict=True))
    integers = [f"CASE typeof({c}) WHEN 'integer' THEN {c} END" for c, k in named if k == "real"]
    strays = [
        _STRAYS[kind].format(c=f"{column} COLLATE BINARY")
        for column, kind in named
        if kind in _STRAYS
    ]
    portions = (strays[start:][:_PORTION] for start in range(0, len(strays), _PORTION))
    return [*integers, *(" OR ".join(portion) for portion in portions)]


_STRAYS = {"text": "{c} < '' OR {c} >= x''", "blob": "{c} < x''"}
_PORTION = 200  # SQLite limits how deep an expression may nest


def _answered(batch: Batch, asked: Sequence[str]) -> Classified:
    width = len(asked)
    answers = iter(batch.columns[width:])
    integers = tuple(next(answers) if kind == "real" else None for kind in asked)
    for flags in answers:
        if pc.max(flags).as_py():  # NULL where nothing could be compared
            raise Unsure("values of several storage classes")
    if any(i is not None and i.type != pa.int64() for i in integers):
        raise Unsure("integers that are none")
    return Classified(batch.columns[:width], integers, batch)
