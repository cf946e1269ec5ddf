"""What people ask of a run, and how its coordinator answers.

A request is a row of the ledger, whoever asks and from wherever. The coordinator
grants it between two of its heartbeats; members read the outcome between two chunks.
A run that nobody works on is answered by the one who asks, as its coordinator for
that moment.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from core.errors import ArrowRefused, RequestUnanswered
from core.failpoints import failpoint
from core.server.connection import Connection, Target, connect, translated
from core.source.snapshot import discard_snapshot
from core.transfer.adopting import put_back
from core.transfer.lease import Lease, momentary
from core.transfer.ledger import Ledger
from core.transfer.membership import who
from core.transfer.model import DEFAULT_LIMITS, Limits
from core.transfer.states import ENDED, Status


class Asked(StrEnum):
    """What can be asked of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    THROTTLE = "throttle"
    CHUNK = "chunk"


GRANTED, REFUSED = "granted", "refused"
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A request. ``argument`` of a throttle: rows_per_second and load_max, None for no
    limit; of a chunk: rows and bytes, None for no change. ``note`` is the asker's word."""

    run: UUID
    kind: Asked
    asked_by: str
    note: str = ""
    argument: Mapping[str, float | None] | None = None
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run is: its target, its number."""

    target: Target
    run: UUID
    limits: Limits = DEFAULT_LIMITS


def steer(place: Place, request: RunRequest, *, seconds: float = 30.0) -> None:
    """Ask something of a run and wait until it is granted.

    A run that nobody coordinates is answered here. Raises ArrowRefused when the run
    cannot go there, and RequestUnanswered.
    """
    with connect(place.target, autocommit=True) as connection, translated(place.target):
        ledger = Ledger(connection)
        ledger.require(place.target.shown)
        was = ledger.run(place.run).status
        number = ask(connection, request)
        until = time.monotonic() + seconds
        while (said := answer(connection, number)) is None:
            seconds_held = place.limits.lease
            with momentary(connection, place.run, seconds=seconds_held, by=who()) as lease:
                if lease is not None:
                    grant_all(connection, lease)
                    continue
            if time.monotonic() > until:
                raise RequestUnanswered(run=place.run, kind=request.kind, seconds=seconds)
            time.sleep(_LOOK_SECONDS)
        if said == REFUSED:
            raise ArrowRefused(run=place.run, was=was, now=request.kind)
        if request.kind is Asked.CANCEL:
            run = ledger.run(place.run)
            discard_snapshot(Path(run.snapshot_path))
            put_back(connection, run)


def ask(connection: Connection, request: RunRequest) -> int:
    """Write a request down; its number."""
    row = connection.execute(
        "INSERT INTO mudanza.request (run, kind, argument, note, asked_by)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING request",
        (
            request.run,
            request.kind,
            json.dumps(dict(request.argument or {})),
            request.note,
            request.asked_by,
        ),
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def answer(connection: Connection, number: int) -> str | None:
    """What became of a request: granted, refused, or None while it waits."""
    row = connection.execute(
        "SELECT answer FROM mudanza.request WHERE request = %s", (number,)
    ).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def grant_all(connection: Connection, lease: Lease) -> None:
    """Answer what waits, in the order it was asked. Raises LeaseLost."""
    for request in _waiting(connection, lease.run):
        with connection.transaction():
            said = _grant(connection, lease, request)
            connection.execute(
                "UPDATE mudanza.request SET answer = %s, answered_at = clock_timestamp()"
                " WHERE request = %s",
                (said, request.number),
            )
        failpoint("grant.moved")


def _waiting(connection: Connection, run: UUID) -> list[RunRequest]:
    found = connection.execute(
        "SELECT request, kind, argument, note, asked_by FROM mudanza.request"
        " WHERE run = %s AND answer IS NULL ORDER BY request",
        (run,),
    )
    return [
        RunRequest(
            run=run,
            kind=Asked(str(kind)),
            asked_by=str(asked_by),
            note=str(note),
            argument=json.loads(str(argument)),
            number=int(str(number)),
        )
        for number, kind, argument, note, asked_by in found
    ]


def _grant(connection: Connection, lease: Lease, request: RunRequest) -> str:
    try:
        if Ledger(connection).orders(lease.run).status in ENDED:
            return REFUSED  # of a throttle too: nobody would ever mind it
        with connection.transaction():
            _do(connection, lease, request)
    except (ArrowRefused, psycopg.DataError, psycopg.errors.CheckViolation):
        # No such arrow, or a bound that the ledger cannot hold. Without an answer it
        # would stop every coordinator that comes to it.
        return REFUSED
    return GRANTED


def _do(connection: Connection, lease: Lease, request: RunRequest) -> None:
    said: Mapping[str, Any] = request.argument or {}
    match request.kind:
        case Asked.PAUSE:
            _move(connection, lease, Status.PAUSED, request)
        case Asked.RESUME:
            _move(connection, lease, Status.COPYING, request)
        case Asked.CANCEL:
            _move(connection, lease, Status.CANCELLED, request)
        case Asked.THROTTLE:
            lease.set_pace(connection, said.get("rows_per_second"), said.get("load_max"))
        case Asked.CHUNK:
            rows, size = said.get("rows"), said.get("bytes")
            lease.set_bounds(connection, chunk_rows=rows, chunk_bytes=size)


def _move(connection: Connection, lease: Lease, end: Status, request: RunRequest) -> None:
    lease.move(connection, end, by=request.asked_by, detail=request.note)
