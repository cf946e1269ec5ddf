"""An encoder that is wrong on both sides alike cannot hide itself: each engine's own
sums say no where the comparison of rows says yes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.server.connection import parse_target
from core.source import inspect
from core.source.rows import SqliteValue
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.values import exact
from core.verify import parity
from core.verify.model import DifferenceKind, Level
from tests.verify.sites import build_source

DAY = 86_400_000_000


def _add(form: str, number: int) -> Callable[[bytes], bytes]:
    packed = struct.Struct(form)
    return lambda wire: packed.pack(packed.unpack(wire)[0] + number)


# The maker that is broken, what it does to a value's bytes, and a column that shows it.
BROKEN: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "text in capitals": ("_text", lambda w: w.decode().upper().encode(), "full_name"),
    "text without its last letter": ("_text", lambda w: w.decode()[:-1].encode(), "slug"),
    "text is empty": ("_text", lambda _: b"", "street"),
    "integers one too high": ("_integer", _add("!q", 1), "quantity"),
    "integers cut to a byte": ("_integer", lambda w: b"\x00" * 7 + w[7:], "views"),
    "reals of the other sign": ("_real", lambda w: bytes([w[0] ^ 0x80]) + w[1:], "latitude"),
    "reals of half the width": (
        "_real",
        lambda w: struct.pack("!d", struct.unpack("!f", struct.pack("!f", *struct.unpack("!d", w)))[0]),
        "longitude",
    ),
    "booleans upside down": ("_boolean", lambda w: bytes([1 - w[0]]), "succeeded"),
    "blobs cut": ("_bytes", lambda w: w[:10], "body"),
    "moments an hour late": ("_iso", lambda w: w if len(w) < 8 else _add("!q", DAY // 24)(w), "created_at"),
    "dates a day late": ("_iso", lambda w: _add("!i", 1)(w) if len(w) == 4 else w, "birth_date"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_encoder_is_caught_by_the_sums(
    what: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker, damage, column = BROKEN[what]
    _break(monkeypatch, maker, damage)
    build_source(tmp_path / "shop.db")
    source, target = inspect(tmp_path / "shop.db"), parse_target(database)
    migrate(Request(source=source, target=target, home=tmp_path))
    request = parity.Request(source=source, target=target, home=tmp_path, samples=1000)
    # The comparison of rows is blind: it makes the same mistake on its own side.
    assert parity.verify(replace(request, level=Level.ROWS)).parity
    report = parity.verify(request)
    assert not report.parity
    found = [d for table in report.tables for d in table.samples]
    assert {d.kind for d in found} == {DifferenceKind.AGGREGATE}
    assert column in {d.column for d in found}


def _break(monkeypatch: pytest.MonkeyPatch, maker: str, damage: Callable[[bytes], bytes]) -> None:
    """Every converter of this kind damages what it makes."""
    whole = getattr(exact, maker)

    def broken(conversion: exact.Conversion) -> exact.Converter:
        convert = whole(conversion)

        def damaged(value: SqliteValue) -> exact.Outcome:
            outcome = convert(value)
            return damage(outcome) if isinstance(outcome, bytes) else outcome

        return damaged

    monkeypatch.setattr(exact, maker, broken)
