"""Where a run stands, as a page for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.cli import outlook as outlooks
from core.cli.runs import step_document, step_says
from core.cli.speaking import out, tell
from core.cli.tables import moment, page, table
from core.transfer.model import Orders, Participant, TableProgress, process_name
from core.transfer.standing import Standing


def document(seen: Standing) -> dict[str, Any]:
    """A standing for programs."""
    run, orders, coordinator = seen.run, seen.orders, seen.coordinator
    return {
        "run": str(run.run),
        "status": run.status.value,
        "exit_code": run.exit_code,
        "schema": run.target_schema,
        "source": run.source_path,
        "snapshot": {
            "path": run.snapshot_path,
            "sha256": run.snapshot_sha256,
            "bytes": run.snapshot_bytes,
        },
        "started_by": run.started_by,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seconds": round(seen.seconds, 3),
        "coordinator": None if coordinator is None else str(coordinator.member),
        "members": [_member_document(m) for m in seen.members],
        "rows": seen.rows,
        "rows_done": seen.rows_done,
        "rows_quarantined": seen.rows_quarantined,
        "rows_per_second": round(seen.outlook.rows_per_second),
        "seconds_left": _seconds_left(seen),
        "throttle": {"rows_per_second": orders.rows_per_second, "load_max": orders.load_max},
        "chunk": {"rows": orders.bounds.rows, "bytes": orders.bounds.bytes},
        "building": list(seen.building),
        "waits_for": list(seen.waits_for),
        "tables": [_table_document(t) for t in seen.tables],
        "steps": [step_document(s) for s in seen.steps],
        "down": [{"kind": b.kind.value, "name": b.name, "sql": b.sql} for b in seen.down],
    }


def _seconds_left(seen: Standing) -> dict[str, int] | None:
    least, most = seen.outlook.seconds_min, seen.outlook.seconds_max
    return None if least is None or most is None else {"min": round(least), "max": round(most)}


def _member_document(member: Participant) -> dict[str, Any]:
    return {
        "member": str(member.member),
        "host": member.host,
        "pid": member.pid,
        "account": member.account,
        "copies": member.copies,
        "coordinates": member.coordinates,
        "lost": member.lost,
        "joined_at": member.joined_at.isoformat(),
        "beat_seconds": round(member.beat_seconds, 3),
        "slowest_beat": round(member.slowest_beat, 3),
        "waits_for": member.waits_for,
        "says": _waits((member.waits_for,)),
    }


def _table_document(progress: TableProgress) -> dict[str, Any]:
    return {
        "name": progress.name,
        "target": progress.target,
        "rows": progress.rows,
        "rows_done": progress.rows_done,
        "rows_quarantined": progress.rows_quarantined,
        "finished": progress.finished,
    }


def _waits(reasons: Sequence[str]) -> str:
    return ", ".join(tell(f"waits.{reason}") for reason in reasons if reason)


# --- for people -----------------------------------------------------------------------


def print_standing(seen: Standing) -> None:
    """A standing for people."""
    out.print(page(_lines(seen)))
    if seen.members:
        _print_members(seen.members)
    _print_tables(seen.tables)
    _print_steps(seen)
    _print_down(seen)


def _print_down(seen: Standing) -> None:
    """What the application had made and does not stand now, with the words to make it."""
    if seen.down:
        columns = (("column.kind", "left"), ("column.name", "left"), ("column.sql", "left"))
        rows = ((tell(f"kind.{b.kind.value}"), b.name, b.sql) for b in seen.down)
        out.print(table("title.down", columns, rows))


def _lines(seen: Standing) -> Iterator[tuple[str, object]]:
    run = seen.run
    yield "column.run", str(run.run)
    yield "column.status", tell(f"status.{run.status}")
    yield "column.source", run.source_path
    yield "show.schema", run.target_schema
    yield "show.started", f"{run.started_by}, {moment(run.started_at)}"
    yield "show.coordinator", _coordinator(seen)
    yield "column.rows", _rows(seen)
    if seen.orders.working:
        yield "show.pace", outlooks.spoken(seen.outlook)
    yield "show.throttle", throttle_sentence(seen.orders)
    if seen.waits_for:
        yield "show.waits", _waits(seen.waits_for)
    if seen.building:
        yield "show.building", ", ".join(seen.building)


def _coordinator(seen: Standing) -> str:
    coordinator = seen.coordinator
    if coordinator is None:
        return tell("show.nobody")
    since, seconds = moment(coordinator.joined_at), f"{coordinator.beat_seconds:.1f}"
    return tell("show.since", who=_process(coordinator), since=since, seconds=seconds)


def _process(member: Participant) -> str:
    return process_name(member.account, member.host, member.pid)


def _rows(seen: Standing) -> str:
    percent = 100 * seen.rows_done // seen.rows if seen.rows else 100
    numbers = {"done": seen.rows_done, "rows": seen.rows, "quarantined": seen.rows_quarantined}
    shown = {name: f"{number:,}" for name, number in numbers.items()}
    return tell("show.rows", percent=percent, **shown)


def throttle_sentence(orders: Orders) -> str:
    """How fast a run may go, and how much its chunks may hold."""
    said = []
    if orders.rows_per_second is not None:
        said.append(tell("throttle.rate", rate=f"{orders.rows_per_second:,.0f}"))
    if orders.load_max is not None:
        said.append(tell("throttle.load", sessions=orders.load_max))
    said = said or [tell("throttle.none")]
    return ", ".join([*said, tell("throttle.chunk", rows=f"{orders.bounds.rows:,}")])


def _print_members(members: Sequence[Participant]) -> None:
    columns = (
        ("column.member", "left"),
        ("column.role", "left"),
        ("column.waits", "left"),
        ("column.beat", "right"),
        ("column.slowest", "right"),
    )
    rows = (
        (
            _process(m),
            _role(m),
            _waits((m.waits_for,)),
            f"{m.beat_seconds:.1f}",
            f"{m.slowest_beat:.2f}",
        )
        for m in members
    )
    out.print(table("title.members", columns, rows))


def _role(member: Participant) -> str:
    if member.lost:
        return tell("role.lost")
    roles = [
        tell(f"role.{name}")
        for name, holds in (("coordinates", member.coordinates), ("copies", member.copies))
        if holds
    ]
    return ", ".join(roles) or tell("role.stands_by")


def _print_tables(progress: Sequence[TableProgress]) -> None:
    columns = (
        ("column.table", "left"),
        ("column.done", "right"),
        ("column.rows", "right"),
        ("column.quarantined", "right"),
    )
    rows = ((t.name, t.rows_done, t.rows, t.rows_quarantined) for t in progress)
    out.print(table("title.tables", columns, rows))


def _print_steps(seen: Standing) -> None:
    columns = (
        ("column.at", "left"),
        ("column.status", "left"),
        ("column.reason", "left"),
        ("column.by", "left"),
    )
    rows = ((moment(s.at), tell(f"status.{s.status}"), step_says(s), s.by) for s in seen.steps)
    out.print(table("title.steps", columns, rows))
