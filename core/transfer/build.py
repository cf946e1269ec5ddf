"""Building what comes after the rows: keys, indexes, foreign keys, sequences.

A build begins as soon as the rows it speaks of have their place, beside the copying
of other tables. Each is a transaction of its own that also writes its fate, fenced
like a chunk. A build that the server refuses costs that object and nothing else.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from core.assess.acceptances import accept_fate
from core.errors import MudanzaError
from core.failpoints import failpoint
from core.plan import Build, BuildKind, Fate, ObjectFate, Plan
from core.server.connection import Connection
from core.server.faults import concerns_object
from core.transfer.adopting import compared, not_restored
from core.transfer.claims import UNHURRIED, FenceLost
from core.transfer.events import BuildBegun, Built
from core.transfer.membership import Patience
from core.transfer.model import BuildClaim
from core.transfer.recovery import overcome
from core.transfer.work import Work

SORT_KIB = 256 << 10
"""What a build may take of the server's memory at least, in KiB; never less than is set."""
_MORE_ROOM = (
    "SELECT set_config(name, greatest(setting::bigint, %s) || 'kB', true)"
    " FROM pg_settings WHERE name = 'maintenance_work_mem'"
)


# --- which build may begin ------------------------------------------------------------


def ready(plan: Plan, open_builds: Mapping[int, bool], unfinished: set[int]) -> Iterator[int]:
    """The numbers of the builds that may begin now, in the plan's order.

    ``open_builds``: the builds without a fate, and whether somebody is at it;
    ``unfinished``: the numbers of the tables that still lack rows. Triggers come when all
    else is there.
    """
    lacking = {t.name for t in plan.tables if t.number in unfinished}
    changing = {b.table for n, b in _numbered(plan) if n in open_builds and _changes_table(b)}
    unkeyed = {b.table for n, b in _numbered(plan) if n in open_builds and b.is_unique}
    unbuilt = any(b.kind is not BuildKind.TRIGGER for n, b in _numbered(plan) if n in open_builds)
    busy = [b for n, b in _numbered(plan) if open_builds.get(n)]
    for number, build in _numbered(plan):
        if open_builds.get(number) is not False or _tables(build) & lacking:
            continue
        if build.kind is BuildKind.FOREIGN_KEY and build.parent in unkeyed:
            continue
        if build.kind is BuildKind.TRIGGER and (lacking or unbuilt):
            continue
        if _tables(build) & changing and not _changes_table(build):
            continue
        if build.kind is BuildKind.VIEW and _lacks_what_it_reads(plan, number, open_builds):
            continue
        if not any(_in_the_way(build, other) for other in busy):
            yield number


def _lacks_what_it_reads(plan: Plan, view: int, open_builds: Mapping[int, bool]) -> bool:
    """Whether a table or a view that this view reads is not whole yet: it may rely on keys."""
    reads = set(plan.builds[view - 1].reads)
    earlier = (b for n, b in _numbered(plan) if n in open_builds and n < view)
    return any(reads & {build.table, build.parent} for build in earlier)


def _numbered(plan: Plan) -> Iterator[tuple[int, Build]]:
    return enumerate(plan.builds, start=1)


def _changes_table(build: Build) -> bool:
    """Whether what others build on may be another column afterwards."""
    return build.kind is BuildKind.GENERATED


def _tables(build: Build) -> set[str]:
    return {build.table, build.parent, *build.reads} - {""}


def _in_the_way(build: Build, other: Build) -> bool:
    """Whether one would wait for the other's lock: all but two plain indexes on one table do."""
    both_indexes = build.kind is other.kind is BuildKind.INDEX
    return not both_indexes and bool(_tables(build) & _tables(other))


# --- one build ------------------------------------------------------------------------


def build_claimed(work: Work, claim: BuildClaim) -> None:
    """Make one object of the plan, unless it comes into other hands meanwhile, or the run
    is to rest. That is asked after each claim: a cancelling that came before it left the
    new token alone."""
    build = work.plan.builds[claim.number - 1]
    patience = Patience(work.member)
    began = time.monotonic()
    work.pulse.allow(math.inf)
    work.tell(BuildBegun(name=build.name))
    while work.orders().working:
        try:
            fate = _build(work, claim, build, began)
        except FenceLost:
            return
        except (psycopg.Error, MudanzaError) as error:
            if not (again := _recovered(work, claim, build, patience, error)):
                return
            claim = again
        else:
            carried = fate.fate is not Fate.NOT_CARRIED
            work.tell(Built(kind=build.kind.value, name=build.name, carried=carried))
            return
    work.persist(lambda c: work.claims(c).hand_back_build(claim))


def _recovered(
    work: Work,
    claim: BuildClaim,
    build: Build,
    patience: Patience,
    error: psycopg.Error | MudanzaError,
) -> BuildClaim | None:
    """The claim anew, once the work can go on; None when the build is in other hands or
    has its fate. Raises the error when it will not pass."""
    overcome(work, patience, error, _lockable(work.plan, build))
    return work.persist(lambda c: work.claims(c).claim_build(claim.number))


def _lockable(plan: Plan, build: Build) -> str:
    """The target's table whose lock a build waits for: of a view, the first that it reads."""
    targets = {table.name: table.target for table in plan.tables}
    reads = next((view.tables for view in plan.views if view.name == build.table), ())
    return next((targets[name] for name in (build.table, *reads) if name in targets), build.name)


def _build(work: Work, claim: BuildClaim, build: Build, began: float) -> ObjectFate:
    try:
        if build.validate:
            return _validated(work, claim, build, began)
        with _building(work) as connection:
            fate = _made(connection, build)
            failpoint("build.made")
            fate = accept_fate(work.plan, compared(connection, build, fate))
            work.claims(connection).set_fate(claim, fate, seconds=time.monotonic() - began)
        failpoint("build.committed")
        return fate
    except psycopg.Error as refused:
        if not concerns_object(refused):
            raise
        fate = not_restored(build, refused) if build.drop else _refused(build, refused)
        fate = accept_fate(work.plan, fate)
        seconds = time.monotonic() - began
        claims = work.claims(work.session.connection())
        claims.set_fate(claim, fate, seconds=seconds, sqlstate=refused.sqlstate)
        return fate


def _made(connection: Connection, build: Build) -> ObjectFate:
    """Make it, unless the rows say that it would not be the same."""
    if build.differs and connection.execute(build.differs.encode()).fetchone() is not None:
        return replace(
            build.fate, fate=Fate.NOT_CARRIED, reason="generated_differs", facts={}, counts=True
        )
    if statement := build.statement(connection.info.server_version):
        connection.execute(statement.encode())  # a key that an application made is there
    return build.fate


@contextmanager
def _building(work: Work) -> Iterator[Connection]:
    """A transaction in which a statement may take as long as a build may, and room to sort."""
    connection = work.session.connection()
    with connection.transaction():
        milliseconds = str(int(work.member.limits.build * 1000))
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
        connection.execute(_MORE_ROOM, (SORT_KIB,))
        connection.execute(UNHURRIED)
        yield connection


def _validated(work: Work, claim: BuildClaim, build: Build, began: float) -> ObjectFate:
    """Add a foreign key or a check, then look at its rows in a transaction of its own, which
    locks less. Rows that break it leave it NOT VALID."""
    if not claim.added:
        with _building(work) as connection:
            connection.execute(build.sql.encode())
            work.claims(connection).mark_added(claim)
        failpoint("build.added")
    fate = build.fate
    with _building(work) as connection:
        try:
            with connection.transaction():
                connection.execute(build.validate.encode())
            fate = compared(connection, build, fate)
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation) as broken:
            fate = compared(connection, build, broken_fate(build, broken))
        failpoint("build.made")
        fate = accept_fate(work.plan, fate)
        work.claims(connection).set_fate(claim, fate, seconds=time.monotonic() - began)
    failpoint("build.committed")
    return fate


def broken_fate(build: Build, broken: psycopg.Error) -> ObjectFate:
    """The fate of a foreign key or a check that rows of the source break."""
    reason = "not_valid_by_letters"
    if isinstance(broken, psycopg.errors.CheckViolation):
        reason = "check_broken"
    elif build.fate.reason != "reference_by_letters":
        reason = "not_valid"
    return replace(build.fate, fate=Fate.REWRITTEN, reason=reason, counts=True)


def _refused(build: Build, error: psycopg.Error) -> ObjectFate:
    # A duplicate's DETAIL holds values of rows; the primary message does not.
    said = error.diag.message_primary or ""
    facts = {"sqlstate": error.sqlstate or "", "detail": said}
    return replace(
        build.fate, fate=Fate.NOT_CARRIED, reason="build_refused", facts=facts, counts=True
    )
