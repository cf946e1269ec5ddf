"""Columns as tuples of PostgreSQL's binary COPY."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pgpq
import pyarrow as pa
from pgpq import encoders, schema

from core.source.batches import Unsure
from core.values import types
from core.values.columns import ColumnWay
from core.values.types import TargetType

_TRAILER = b"\xff\xff"


class Wire:
    """Encodes chunks of one table's columns, in the plan's order."""

    def __init__(self, kinds: Sequence[TargetType], ways: Sequence[ColumnWay]) -> None:
        self._ways = ways
        # Encoders go by name, and names of columns may be anything.
        fields = [pa.field(str(place), way.type) for place, way in enumerate(ways)]
        self._schema = pa.schema(fields)
        self._encoders = {
            field.name: _encoder(kind, field) for kind, field in zip(kinds, fields, strict=True)
        }

    def tuples(self, batches: Iterable[Sequence[pa.Array]]) -> list[bytes]:
        """The rows of a chunk as tuples in blocks, with neither header nor trailer: theirs
        who send them. Raises Unsure."""
        # It keeps back what it likes until the end: so one for each chunk.
        encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(self._schema, self._encoders)
        encoder.write_header()
        try:
            blocks = [encoder.write_batch(self._converted(columns)) for columns in batches]
            blocks.append(encoder.finish()[: -len(_TRAILER)])
        except ValueError as refused:
            raise Unsure(str(refused)) from refused
        return [block for block in blocks if block]

    def _converted(self, columns: Sequence[pa.Array]) -> pa.RecordBatch:
        arrays = [way(column) for way, column in zip(self._ways, columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _encoder(kind: TargetType, field: pa.Field) -> Any:
    if kind.name == types.JSONB:
        return encoders.StringEncoderBuilder.new_with_output(field, schema.Jsonb())
    return pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field)
