"""Parts of a path that name rows."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter

BIGGEST = 2**63 - 1
"""The highest number that either engine gives a row: beyond it nothing can be found."""


class _RowNumber(IntegerConverter):
    def __init__(self, *args: object, **words: object) -> None:
        super().__init__(*args, **({"max": BIGGEST} | words))  # type: ignore[arg-type]


def install(app: Flask) -> None:
    """``<int:id>`` takes what a database can hold; other numbers are no page."""
    app.url_map.converters["int"] = _RowNumber
