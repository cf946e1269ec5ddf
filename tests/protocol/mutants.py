"""Rules of the protocol, each broken on purpose, and the tests that must notice.

A mutant that no test notices is a rule that nobody holds. One that does no harm is not
listed: a rule that may be broken is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "core/transfer"


class TextMoved(Exception):
    """The text that a mutant changes is not there exactly once: the list is out of date."""


@dataclass(frozen=True)
class Edit:
    """One text of one file, and what it becomes."""

    file: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        if (found := text.count(self.old)) != 1:
            raise TextMoved(f"{self.file}: {found} times: {self.old}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Mutant:
    """A broken rule. ``fast``: `make test` looks at it, too."""

    id: str
    broken: str
    edits: Sequence[Edit]
    tests: Sequence[str]
    fast: bool = False

    def apply(self, root: Path) -> None:
        """Break the rule in the copy of the repository at ``root``. Raises TextMoved."""
        for edit in self.edits:
            path = root / edit.file
            text = edit.applied(path.read_text(encoding="utf-8"))
            if path.suffix == ".py":
                compile(text, edit.file, "exec")  # one that cannot be read proves nothing
            path.write_text(text, encoding="utf-8")


def _mutant(
    name: str, broken: str, file: str, old: str, new: str, *tests: str, fast: bool = False
) -> Mutant:
    return Mutant(name, broken, (_edit(file, old, new),), _nodes(tests), fast)


def _edit(file: str, old: str, new: str) -> Edit:
    return Edit(f"{_FOLDER}/{file}", old, new)


def _nodes(tests: Sequence[str]) -> tuple[str, ...]:
    """``fence::name`` is a test of tests/protocol/test_fence.py."""
    return tuple(
        f"tests/protocol/test_{area}.py::test_{name}"
        for area, _, name in (test.partition("::") for test in tests)
    )


_FENCE = (
    _mutant(
        "fence-removed",
        "A chunk is committed whether or not the fence moved.",
        "claims.py",
        "        if moved.rowcount != 1:\n            raise FenceLost\n\n    def anything_left",
        "        moved.close()\n\n    def anything_left",
        "fence::a_token_raised_before_the_chunk_began_refuses_it",
        fast=True,
    ),
    _mutant(
        "fence-looks",
        "The fence looks at owner, token and watermark by a SELECT, which waits for nobody.",
        "claims.py",
        '            " AND owner = %(me)s AND token = %(token)s"\n'
        '            " AND done_to IS NOT DISTINCT FROM %(lo)s",\n',
        '            " AND EXISTS (SELECT FROM mudanza.range s WHERE s.run = %(run)s"\n'
        '            " AND s.range = %(range)s AND s.owner = %(me)s AND s.token = %(token)s"\n'
        '            " AND s.done_to IS NOT DISTINCT FROM %(lo)s)",\n',
        "fence::a_token_whose_raising_is_undecided_is_waited_for",
        fast=True,
    ),
    _mutant(
        "fence-any-token",
        "The fence does not compare the token.",
        "claims.py",
        '            " AND owner = %(me)s AND token = %(token)s"\n',
        '            " AND owner = %(me)s"\n',
        "fence::an_owner_commits_nothing_under_its_own_earlier_token",
        fast=True,
    ),
    _mutant(
        "fence-any-owner",
        "The fence does not compare the owner.",
        "claims.py",
        '            " AND owner = %(me)s AND token = %(token)s"\n',
        '            " AND token = %(token)s"\n',
        "fence::a_token_is_of_no_use_to_anybody_but_its_owner",
    ),
    _mutant(
        "fence-any-watermark",
        "The fence does not compare where the chunk begins.",
        "claims.py",
        '            " AND owner = %(me)s AND token = %(token)s"\n'
        '            " AND done_to IS NOT DISTINCT FROM %(lo)s",\n',
        '            " AND owner = %(me)s AND token = %(token)s",\n',
        "fence::a_chunk_that_does_not_begin_at_the_watermark_is_refused",
    ),
    _mutant(
        "late-line-fails",
        "Whoever is late with a line that the new owner wrote stops the run by an error.",
        "claims.py",
        "except psycopg.errors.UniqueViolation as written:",
        "except ZeroDivisionError as written:",
        "fence::a_line_that_the_next_owner_is_just_writing_is_waited_for_and_no_error",
        "fence::rows_that_the_next_owner_set_aside_first_are_no_error",
    ),
)

_BEGUN = (
    "        with connection.transaction():\n"
    "            connection.execute(UNHURRIED)\n"
    '            failpoint("chunk.begun")\n'
)
_CHECKPOINT = '            claims.checkpoint(self.claim, line, aside, altered)\n        failpoint("chunk.committed")\n'
_WRITE = "cargo.write(Writer(connection, self._work.plan.schema, self._table))\n"
_COPY = "            refused = " + _WRITE
_ADD = "        Quarantine(self.connection, self.run).add(claim, quarantined)\n"
_ADD_ELSEWHERE = (
    "        from core.transfer.quarantine import Quarantine\n"
    "        Quarantine(connection, self._work.run).add(self.claim, cargo.quarantined)\n"
)

_CHUNK = (
    _mutant(
        "chunk-in-pieces",
        "Rows, line and watermark are committed one after the other.",
        "copying.py",
        _BEGUN,
        _BEGUN.replace("with connection.transaction():", "if connection.autocommit:"),
        "chunks::broken_off_at_any_place_a_chunk_leaves_nothing",
    ),
    _mutant(
        "ledger-after-rows",
        "The rows are committed first, then the ledger in a transaction of its own.",
        "copying.py",
        _CHECKPOINT,
        "        with connection.transaction():\n" + _CHECKPOINT,
        "chunks::broken_off_at_any_place_a_chunk_leaves_nothing",
        fast=True,
    ),
    Mutant(
        "ledger-before-rows",
        "The ledger is committed first, then the rows in a transaction of their own.",
        (
            _edit("copying.py", _COPY, "            refused: list[Quarantined] = []\n"),
            _edit(
                "copying.py",
                _CHECKPOINT,
                "            claims.checkpoint(self.claim, line, aside, altered)\n"
                '        failpoint("chunk.committed")\n'
                "        " + _WRITE,
            ),
        ),
        _nodes(("chunks::nobody_sees_any_of_it_before_its_commit_and_everybody_all_of_it_after",)),
    ),
    Mutant(
        "quarantine-before",
        "What is set aside is committed before the chunk that it belongs to.",
        (
            _edit("claims.py", _ADD, ""),
            _edit("copying.py", _BEGUN, _ADD_ELSEWHERE + _BEGUN),
        ),
        _nodes(("chunks::broken_off_at_any_place_a_chunk_leaves_nothing",)),
    ),
    Mutant(
        "quarantine-after",
        "What is set aside is committed after the chunk that it belongs to.",
        (
            _edit("claims.py", _ADD, ""),
            _edit(
                "copying.py",
                _CHECKPOINT,
                "            claims.checkpoint(self.claim, line, aside, altered)\n"
                + _ADD_ELSEWHERE
                + '        failpoint("chunk.committed")\n',
            ),
        ),
        _nodes(("chunks::line_quarantine_and_watermark_are_of_one_transaction",)),
    ),
    _mutant(
        "chunk-locks-run",
        "A chunk reads the run's row FOR SHARE: the heartbeat waits for it.",
        "claims.py",
        '        moved = self.connection.execute(\n            "UPDATE mudanza.range SET done_to',
        "        self.connection.execute(\n"
        '            "SELECT FROM mudanza.run WHERE run = %s FOR SHARE", (self.run,)\n'
        "        )\n"
        "        moved = self.connection.execute(\n"
        '            "UPDATE mudanza.range SET done_to',
        "chunks::an_open_chunk_delays_no_heartbeat",
        fast=True,
    ),
    _mutant(
        "chunk-writes-member",
        "A chunk shows its member's life: the heartbeat waits for it.",
        "claims.py",
        '        failpoint("chunk.lined")\n',
        '        self.connection.execute("UPDATE mudanza.member SET beat_at = clock_timestamp()")\n'
        '        failpoint("chunk.lined")\n',
        "chunks::an_open_chunk_delays_no_heartbeat",
    ),
    _mutant(
        "range-without-end",
        "A range is copied beyond its end, into the next one.",
        "copying.py",
        "until = None if hi is None else unpack(hi)",
        "until = None",
        "chunks::all_ranges_together_carry_each_row_once",
    ),
)

_ONE_FREE = '" LIMIT 1 FOR UPDATE SKIP LOCKED)"'
_HELD = '" AND (owner IS NULL OR owner = %(me)s) ORDER BY owner IS NULL,'
_AGAIN = (
    '            "UPDATE mudanza.range SET token = token + 1 WHERE run = %(run)s'
    ' AND range = %(range)s"\n'
    '            f" AND owner = %(me)s RETURNING {_CLAIM}",\n'
)
_HAND_BACK = '" WHERE run = %s AND range = %s AND owner = %s AND token = %s"'

_CLAIMS = (
    _mutant(
        "claim-unlocked",
        "Two who look for a range at once may find the same.",
        "claims.py",
        _ONE_FREE,
        '" LIMIT 1)"',
        "claims::a_claim_that_is_undecided_is_passed_by_at_once",
        "claims::claimers_at_once_never_get_one_range",
    ),
    _mutant(
        "claim-in-line",
        "Whoever looks for a range waits for the one that another is just claiming.",
        "claims.py",
        _ONE_FREE,
        '" LIMIT 1 FOR UPDATE)"',
        "claims::a_claim_that_is_undecided_is_passed_by_at_once",
    ),
    _mutant(
        "claim-held",
        "A range that another holds is claimed.",
        "claims.py",
        _HELD,
        '" ORDER BY owner IS NULL,',
        "claims::what_somebody_holds_is_nobody_elses_to_claim",
    ),
    _mutant(
        "claim-finished",
        "A finished range is claimed again.",
        "claims.py",
        'WHERE run = %(run)s AND NOT finished"\n            ' + _HELD,
        'WHERE run = %(run)s"\n            ' + _HELD,
        "claims::a_finished_range_is_never_claimed_again",
    ),
    _mutant(
        "again-looks",
        "After an unknown outcome the watermark is read by a SELECT, past the commit under way.",
        "claims.py",
        _AGAIN,
        '            f"SELECT {_CLAIM} FROM mudanza.range WHERE run = %(run)s"\n'
        '            " AND range = %(range)s AND owner = %(me)s",\n',
        "claims::claiming_again_waits_for_the_commit_and_says_where_it_stands",
        fast=True,
    ),
    _mutant(
        "again-same-token",
        "After an unknown outcome the token stays: the earlier commit may still come.",
        "claims.py",
        _AGAIN,
        _AGAIN.replace("token = token + 1", "token = token"),
        "claims::after_claiming_again_a_commit_that_was_late_is_out",
    ),
    _mutant(
        "again-from-others",
        "After an unknown outcome the range is taken out of the next owner's hands.",
        "claims.py",
        _AGAIN,
        _AGAIN.replace(" AND owner = %(me)s", ""),
        "claims::what_came_into_other_hands_is_not_claimed_again",
    ),
    _mutant(
        "back-under-any-token",
        "A range is handed back under a token that is no longer its own.",
        "claims.py",
        _HAND_BACK,
        _HAND_BACK.replace("token = %s", "%s > 0"),
        "claims::handing_back_under_an_earlier_token_frees_nothing",
    ),
)

_MOVED = '" WHERE run = %s AND epoch = %s AND status = %s"'
_TOUCHED = 'f"UPDATE mudanza.run SET {change} WHERE run = %s AND epoch = %s"'
_SEE_OFF = "        _see_off(connection, lost)\n        _raise_tokens(connection, run)\n"
_TAKEN = '        failpoint("take.tokens")\n    failpoint("take.committed")\n'
_BEAT = "lease_until = clock_timestamp() + %s * interval '1 second'\", self.seconds"

_LEASE = (
    _mutant(
        "take-anyhow",
        "The lease is taken from a coordinator that lives.",
        "lease.py",
        '"run = %s AND (coordinator IS NULL OR',
        '"run = %s AND (true OR coordinator IS NULL OR',
        "lease::while_its_holder_lives_nobody_else_takes_it",
    ),
    _mutant(
        "take-looks-before",
        "Whether the lease is free is asked before, by a SELECT, and not again.",
        "lease.py",
        '* interval \'1 second\' WHERE {_FREE}"\n            " RETURNING epoch"',
        '* interval \'1 second\' WHERE run = %s AND %s IS NOT NULL"\n            " RETURNING epoch"',
        "lease::of_two_who_take_it_at_once_the_later_waits_and_gets_nothing",
    ),
    _mutant(
        "take-same-epoch",
        "Whoever takes the lease leaves the epoch as it was.",
        "lease.py",
        "SET epoch = epoch + 1, coordinator",
        "SET epoch = epoch, coordinator",
        "lease::the_former_coordinator_is_refused",
    ),
    _mutant(
        "take-leaves-tokens",
        "Whoever takes the lease leaves what is unfinished in the hands it was in.",
        "lease.py",
        _SEE_OFF,
        "        _see_off(connection, lost)\n",
        "lease::the_former_coordinators_members_commit_nothing",
    ),
    Mutant(
        "take-in-two",
        "The epoch is raised in one transaction, the tokens in the next.",
        (
            _edit("lease.py", _SEE_OFF, '        failpoint("take.tokens")\n'),
            _edit(
                "lease.py",
                _TAKEN,
                "    _see_off(connection, lost)\n"
                "    _raise_tokens(connection, run)\n"
                '    failpoint("take.committed")\n',
            ),
        ),
        _nodes(("lease::it_waits_for_a_chunk_past_its_fence_and_then_takes_the_range",)),
    ),
    _mutant(
        "tokens-pass-by",
        "Raising the tokens passes by what a commit under way has locked.",
        "lease.py",
        "ORDER BY {number} FOR UPDATE)",
        "ORDER BY {number} FOR UPDATE SKIP LOCKED)",
        "lease::it_waits_for_a_chunk_past_its_fence_and_then_takes_the_range",
        fast=True,
    ),
    _mutant(
        "tokens-keep-owner",
        "Raising the tokens leaves the ranges of the dead with their owners.",
        "lease.py",
        "SET owner = NULL, token = token + 1 FROM held",
        "SET token = token + 1 FROM held",
        "members::what_the_dead_hold_is_freed_and_nothing_else",
    ),
    _mutant(
        "beat-any-epoch",
        "A former coordinator prolongs its successor's lease, and changes bounds and pace.",
        "lease.py",
        _TOUCHED,
        _TOUCHED.replace("epoch = %s", "epoch >= %s"),
        "lease::the_former_coordinator_is_refused",
    ),
    _mutant(
        "move-looks-before",
        "Whether the epoch still holds is asked before a move, by a SELECT, and not again.",
        "lease.py",
        _MOVED,
        _MOVED.replace("epoch = %s", "epoch >= %s"),
        "lease::the_former_coordinator_waits_for_an_undecided_successor_and_is_refused",
    ),
    _mutant(
        "release-any-epoch",
        "A former coordinator's goodbye frees its successor's lease.",
        "lease.py",
        '" WHERE run = %s AND epoch = %s",\n            (self.run, self.epoch),\n        )\n\n    def move(',
        '" WHERE run = %s AND epoch >= %s",\n            (self.run, self.epoch),\n        )\n\n    def move(',
        "lease::the_former_coordinators_goodbye_frees_nothing",
    ),
    Mutant(
        "client-clock",
        "How long the lease lasts is told by this host's clock.",
        (
            _edit(
                "lease.py",
                "from uuid import UUID, uuid4\n",
                "import time\nfrom uuid import UUID, uuid4\n",
            ),
            _edit(
                "lease.py",
                'connection, "' + _BEAT,
                'connection, f"'
                + _BEAT.replace("clock_timestamp()", "to_timestamp({time.time()})"),
            ),
        ),
        _nodes(("lease::a_wrong_clock_on_this_host_changes_nothing",)),
    ),
)

_ENDED = '"SELECT pg_terminate_backend(s.backend_pid, %s) FROM mudanza.session s"'
_SAME = (
    ' ON a.pid = s.backend_pid AND a.backend_start = s.backend_start"\n            " WHERE s.member'
)

_MEMBERS = (
    _mutant(
        "living-count-as-dead",
        "A member with a heartbeat and sessions counts as dead.",
        "ledger.sql",
        "    m.lease_until <= clock_timestamp()\n",
        "    m.lease_until > clock_timestamp()\n",
        "members::with_a_heartbeat_and_a_session_nobody_does",
    ),
    _mutant(
        "reclaim-from-living",
        "Handing over what the dead hold takes it from the living, too.",
        "lease.py",
        "_raise_tokens(connection, self.run, _UNHELD)",
        "_raise_tokens(connection, self.run, '')",
        "members::a_living_member_commits_through_it_all",
    ),
    _mutant(
        "sessions-stay",
        "The sessions of the dead are not ended: what they lock is waited for.",
        "lease.py",
        _ENDED,
        '"SELECT %s::integer FROM mudanza.session s"',
        "members::a_session_stopped_after_its_fence_is_ended_and_does_not_delay",
        "lease::the_sessions_of_the_dead_end_first",
    ),
    _mutant(
        "sessions-by-number",
        "A stranger's session is ended that has the number of a dead one.",
        "lease.py",
        _SAME,
        ' ON a.pid = s.backend_pid"\n            " WHERE s.member',
        "members::a_session_that_has_the_number_of_a_dead_one_is_left_alone",
    ),
    _mutant(
        "alive-by-number",
        "A member lives on in a stranger's session that has the number of its own.",
        "ledger.sql",
        "            AND (a.backend_start = s.backend_start OR a.backend_start IS NULL)\n",
        "",
        "members::a_session_that_only_has_the_number_of_one_that_is_gone_does_not_count",
    ),
    _mutant(
        "sessions-forgotten-first",
        "The sessions of the dead are forgotten before they are seen off: they live again.",
        "lease.py",
        "    return lost\n\n\ndef _see_off",
        '    connection.execute("DELETE FROM mudanza.session WHERE member = ANY (%s)", (lost,))\n'
        "    return lost\n\n\ndef _see_off",
        "lease::it_is_to_be_had_once_its_holders_sessions_are_gone",
    ),
    _mutant(
        "ends-itself",
        "Whoever takes the lease after a long sleep ends its own sessions.",
        "lease.py",
        "lost = [m for m in lost_members(connection, run) if m != member]",
        "lost = lost_members(connection, run)",
        "lease::one_that_was_itself_silent_for_long_takes_it_and_lives",
    ),
    _mutant(
        "dead-beat-on",
        "The heartbeat of one that was declared dead is no new joining: it is never found again.",
        "membership.py",
        '" WHERE member = %s AND left_at IS NULL",\n            (self.limits.lease, slowest',
        '" WHERE member = %s",\n            (self.limits.lease, slowest',
        "members::a_heartbeat_of_one_declared_dead_is_a_new_joining",
    ),
)

_BUILD_FENCE = "\" AND fate = 'planned' AND owner = %s AND token = %s\".encode()"
_SET_FATE = (
    "            work.claims(connection).set_fate(claim, fate,"
    " seconds=time.monotonic() - began)\n"
    '        failpoint("build.committed")\n'
    "        return fate\n"
)

_BUILDS = (
    _mutant(
        "build-fence-removed",
        "A build is committed whether or not its token was raised.",
        "claims.py",
        '        if moved.rowcount != 1:\n            raise FenceLost\n        failpoint("build',
        '        moved.close()\n        failpoint("build',
        "builds::a_build_whose_token_was_raised_leaves_nothing",
    ),
    _mutant(
        "build-fence-any-token",
        "The fence of a build does not compare the token.",
        "claims.py",
        _BUILD_FENCE,
        _BUILD_FENCE.replace("token = %s", "%s > 0"),
        "builds::under_a_raised_token_nothing_is_recorded",
    ),
    _mutant(
        "build-fence-any-owner",
        "The fence of a build does not compare the owner.",
        "claims.py",
        _BUILD_FENCE,
        _BUILD_FENCE.replace("owner = %s", "%s IS NOT NULL"),
        "builds::nobody_records_anything_of_anothers_build",
    ),
    _mutant(
        "build-held",
        "A build that another is at is claimed.",
        "claims.py",
        'AND (owner IS NULL OR owner = %s)"\n                " RETURNING object',
        'AND (owner IS NULL OR %s IS NOT NULL)"\n                " RETURNING object',
        "builds::a_build_is_claimed_once",
    ),
    _mutant(
        "build-fate-apart",
        "A build is committed first, then its fate.",
        "build.py",
        _SET_FATE,
        _SET_FATE.replace("            work.claims", "        work.claims"),
        "builds::a_build_and_its_fate_are_one",
    ),
    _mutant(
        "build-before-rows",
        "A build begins while its table still lacks rows.",
        "build.py",
        " or _tables(build) & lacking:",
        ":",
        "builds::nothing_begins_before_the_rows_it_speaks_of",
    ),
    _mutant(
        "foreign-key-before-rows",
        "A foreign key is added while its parent still lacks rows.",
        "build.py",
        "_tables(build) & lacking:",
        "build.table in lacking:",
        "builds::a_foreign_key_waits_for_the_rows_of_its_parent",
    ),
    _mutant(
        "foreign-key-before-key",
        "A foreign key is added before the key that it refers to.",
        "build.py",
        "if build.kind is BuildKind.FOREIGN_KEY and build.parent in unkeyed:",
        "if build.table in unkeyed and not build.table:",
        "builds::a_foreign_key_waits_for_the_keys_of_its_parent",
    ),
    _mutant(
        "builds-collide",
        "A build begins that will wait for another's lock.",
        "build.py",
        "if not any(_in_the_way(build, other) for other in busy):",
        "if not any(build is other for other in busy):",
        "builds::what_would_wait_for_the_lock_of_another_does_not_begin",
    ),
    _mutant(
        "build-after-cancel",
        "What was claimed just after a cancelling is built all the same.",
        "build.py",
        "    while work.orders().working:\n",
        "    while True:\n",
        "builds::one_claimed_when_the_run_was_just_cancelled_is_not_made",
    ),
)

_STATES = (
    _mutant(
        "cancel-leaves-tokens",
        "A chunk in flight is committed into a run that is cancelled.",
        "lease.py",
        "                _raise_tokens(connection, self.run)\n",
        "                pass\n",
        "arrows::cancelled_a_chunk_before_its_fence_is_out",
        fast=True,
    ),
    _mutant(
        "arrow-unasked",
        "A run may be sent where no arrow leads.",
        "lease.py",
        "if arrow(start, end) is None:",
        "if arrow(start, end) is None and end is start:",
        "arrows::each_way_that_is_no_arrow_is_refused",
    ),
    _mutant(
        "arrow-unasked-by-ledger",
        "The ledger writes down a step where no arrow leads.",
        "ledger.sql",
        ",\n    FOREIGN KEY (from_status, to_status) REFERENCES mudanza.arrow\n",
        "\n",
        "arrows::each_way_that_is_no_arrow_is_refused_by_the_ledger_itself",
    ),
    _mutant(
        "requests-backwards",
        "What was asked last is granted first.",
        "steering.py",
        "AND answer IS NULL ORDER BY request",
        "AND answer IS NULL ORDER BY request DESC",
        "arrows::requests_are_granted_in_the_order_they_were_asked",
    ),
    _mutant(
        "request-unanswered",
        "A request that the ledger cannot hold stops each coordinator that comes to it.",
        "steering.py",
        "except (ArrowRefused, psycopg.DataError, psycopg.errors.CheckViolation):",
        "except ArrowRefused:",
        "arrows::one_that_the_ledger_cannot_hold_is_refused_and_stops_nobody",
    ),
)

_AMENDED = "\" WHERE run = %s AND epoch = %s AND status = 'complete'\",\n"
_AMENDED_VALUES = "            (plan, document, sha256, exit_code, self.run, self.epoch),\n"

_REPAIRS = (
    _mutant(
        "repair-unfenced",
        "A replay is committed whether or not its fence moved.",
        "lease.py",
        _AMENDED_VALUES
        + "        )\n        if moved.rowcount != 1:\n            raise LeaseLost\n",
        _AMENDED_VALUES + "        )\n        moved.close()\n",
        "repairs::a_replay_whose_lease_is_taken_while_it_works_changes_nothing",
        fast=True,
    ),
    _mutant(
        "repair-any-epoch",
        "A replay's fence does not compare the epoch.",
        "lease.py",
        _AMENDED,
        _AMENDED.replace("epoch = %s", "epoch >= %s"),
        "repairs::a_replay_whose_lease_is_taken_while_it_works_changes_nothing",
    ),
    _mutant(
        "repair-looks",
        "A replay's fence looks at the epoch by a SELECT, which waits for nobody.",
        "lease.py",
        _AMENDED,
        '" WHERE run = %s AND EXISTS (SELECT FROM mudanza.run r WHERE epoch = %s)"\n'
        "            \" AND status = 'complete'\",\n",
        "repairs::a_taking_that_is_undecided_is_waited_for",
    ),
    _mutant(
        "repair-any-state",
        "A replay amends a run that is no longer the one that counts.",
        "lease.py",
        _AMENDED,
        _AMENDED.replace(" AND status = 'complete'", ""),
        "repairs::a_run_that_is_no_longer_complete_is_not_amended",
    ),
    _mutant(
        "repair-of-work",
        "A run that is at work is repaired.",
        "resting.py",
        "    if run.status is not Status.COMPLETE:\n",
        "    if run.status is Status.REPLACED:\n",
        "repairs::a_run_at_work_is_not_repaired",
    ),
    _mutant(
        "edit-unfenced",
        "An edit is committed without asking for the epoch.",
        "edit.py",
        "            resting.lease.beat(resting.connection)  # the fence: it asks for the epoch\n",
        "",
        "repairs::an_edit_whose_lease_is_taken_while_it_works_changes_nothing",
    ),
)

MUTANTS = (*_FENCE, *_CHUNK, *_CLAIMS, *_LEASE, *_MEMBERS, *_BUILDS, *_STATES, *_REPAIRS)
FAST = tuple(mutant for mutant in MUTANTS if mutant.fast)
