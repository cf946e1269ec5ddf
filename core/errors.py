"""The one exception tree.

An error is what Mudanza refuses or cannot do. It carries an ``id``, the
``facts`` that make it concrete, and the id of its ``remedy``; the sentences
themselves live in :mod:`core.words`, so this module knows no language. A
difference, a mismatch or a quarantined row is never an error: those are values.
"""

from __future__ import annotations

import json
import re
from typing import ClassVar


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class MudanzaError(Exception):
    """Anything Mudanza refuses or cannot do.

    ``facts`` fill the placeholders of the sentence ``error.<id>`` and of its
    remedy ``error.<id>.remedy``. They never hold a password.
    """

    id: ClassVar[str] = "mudanza_error"
    exit_code: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.id = _snake(cls.__name__)

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        listed = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        super().__init__(f"{self.id}({listed})")

    @property
    def sentence_id(self) -> str:
        """The id in :mod:`core.words` of what happened and where."""
        return f"error.{self.id}"

    @property
    def remedy_id(self) -> str:
        """The id in :mod:`core.words` of what to do about it."""
        return f"error.{self.id}.remedy"


class WrongUsage(MudanzaError):
    """The command was given options that do not go together. Facts: detail."""

    exit_code = 2


# --- the source: SQLite ------------------------------------------------------


class SourceRefused(MudanzaError):
    """The source cannot be opened as a SQLite database. Facts: path."""


class SourceMissing(SourceRefused):
    """No file lies at the path."""


class SourcePathEmpty(SourceRefused):
    """The path given is an empty string. No facts."""


class SourceIsDirectory(SourceRefused):
    """The path is a folder."""


class SourceNotRegularFile(SourceRefused):
    """The path is a FIFO, a device, a socket. Facts: path, kind."""


class SourceUnreadable(SourceRefused):
    """The operating system refuses to read the file. Facts: path, detail."""


class SourceEmptyFile(SourceRefused):
    """The file has no bytes: SQLite would call it an empty database."""


class SourceNotSqlite(SourceRefused):
    """The file does not begin as SQLite files do."""


class SourceEncrypted(SourceRefused):
    """The file looks like an encrypted database: no header, no structure."""


class SourceTruncated(SourceRefused):
    """The header promises more pages than the file has. Facts: path, expected_bytes, found_bytes."""


class SourceCorrupt(SourceRefused):
    """SQLite's own check found damage. Facts: path, detail."""


class SourceForeignWal(SourceRefused):
    """A WAL source under a user whose sidecar files its application could not write.

    Facts: path, owner, user.
    """


class SourceHotJournal(SourceRefused):
    """A crashed writer left a rollback journal that a reader may not roll back. Facts: path."""


class SourceBusy(SourceRefused):
    """Writers held the source locked longer than the stated budget. Facts: path, seconds."""


class SourceSchemaUnreadable(SourceRefused):
    """SQLite cannot parse the schema stored in the file. Facts: path, detail."""


class SourceHasNoTables(SourceRefused):
    """SQLite reads the file, and there is no table of any kind in it. Facts: path."""


class SnapshotLost(MudanzaError):
    """The page copy a run was reading is gone or changed. Facts: run, path."""


class SnapshotDiskFull(MudanzaError):
    """No room for the page copy of the source. Facts: path, needed_bytes, free_bytes."""


# --- the target: PostgreSQL --------------------------------------------------


class TargetRefused(MudanzaError):
    """The target cannot be used. Facts: target (never with a password)."""


class TargetAddressInvalid(TargetRefused):
    """The target is not a PostgreSQL address. Facts: target."""


class TargetUnreachable(TargetRefused):
    """Nobody answers at the address. Facts: target, detail."""


class TargetLoginRefused(TargetRefused):
    """Wrong password, unknown role, or no access. Facts: target, detail."""


class TargetDatabaseMissing(TargetRefused):
    """The server answers but has no such database. Facts: target, detail."""


class TargetReadOnly(TargetRefused):
    """A standby, or a role whose transactions are read only. Facts: target."""


class TargetEncoding(TargetRefused):
    """The target database is not UTF-8. Facts: target, encoding."""


class TargetTooOld(TargetRefused):
    """The server is older than the oldest version we prove against. Facts: target, found, wanted."""


class TargetPrivilege(TargetRefused):
    """The role may not do what the run needs. Facts: target, detail."""


class TargetNotEmpty(TargetRefused):
    """The target schema holds things this ledger did not make. Facts: target, schema, names."""


class TargetDiskFull(TargetRefused):
    """The server has no room left. Facts: target, detail."""


class TargetLost(TargetRefused):
    """The connection broke in the middle of the work. Facts: target, detail."""


class TargetLocked(TargetRefused):
    """Somebody else held a lock for too long, again and again. Facts: target, detail."""


class TargetTimeout(TargetRefused):
    """A statement took longer than it may, even in small portions. Facts: target, detail."""


class TargetConflict(TargetRefused):
    """Deadlocks or conflicts with other writers, again and again. Facts: target, detail."""


class TargetFailed(TargetRefused):
    """The server refused a statement in a way no other error names. Facts: target, sqlstate, detail."""


class ServerBinariesMissing(MudanzaError):
    """No PostgreSQL binaries found. Facts: searched."""


class ServerStartFailed(MudanzaError):
    """The embedded server did not start. Facts: folder, detail."""


class ServerStopFailed(MudanzaError):
    """The embedded server did not stop. Facts: folder, detail."""


class ServerAccountMissing(MudanzaError):
    """Root may not run PostgreSQL and no unprivileged account was found. Facts: tried."""


class ServerFolderUnreachable(MudanzaError):
    """The unprivileged account cannot reach the data or the binaries. Facts: account, folder."""


# --- plans and runs ----------------------------------------------------------


class PlanUnreadable(MudanzaError):
    """The plan file is not a plan. Facts: path, detail."""


class PlanUnwritable(MudanzaError):
    """The plan cannot be written where it was asked for. Facts: path, detail."""


class PlanDoesNotFit(MudanzaError):
    """The plan names things the source does not have, or leaves some out. Facts: path, detail."""


class AcceptanceRefused(MudanzaError):
    """A plan accepts or suppresses a finding and lacks a part of it. Facts: path, finding, object, missing."""


class AcceptanceUnknown(MudanzaError):
    """A plan accepts or suppresses a finding that is not in the catalogue. Facts: path, finding."""


class AcceptanceNowhere(MudanzaError):
    """A plan accepts a finding about something that is not there. Facts: path, finding, object."""


class ReportUnwritable(MudanzaError):
    """The report cannot be written where it was asked for. Facts: path, detail."""


class PlanChanged(MudanzaError):
    """A run can only be resumed under the plan it began with. Facts: run, was, now."""


class RunHeld(MudanzaError):
    """Another process is working on this run. Facts: run, pid."""


class RunCancelled(MudanzaError):
    """Somebody ended the run for good. Facts: run, by."""


class RunStopped(MudanzaError):
    """Another process met something that stopped the run. Facts: run, by, detail (that
    process's error, or the state of the run)."""


class RunNotAtWork(MudanzaError):
    """Nobody can take part in a run that rests or has ended. Facts: run, status."""


class ArrowRefused(MudanzaError):
    """A run does not go from one of these states to the other. Facts: run, was, now."""


class RequestUnanswered(MudanzaError):
    """The run's coordinator did not answer in time. Facts: run, kind, seconds."""


class LoadInvisible(MudanzaError):
    """The role does not see which sessions of others are active. Facts: target, role."""


class WatermarkMoved(MudanzaError):
    """A watermark is not where its only owner left it. Facts: run, table."""


class WorkerFailed(MudanzaError):
    """Worker processes ended without an answer, again and again. Facts: detail."""


class RunUnknown(MudanzaError):
    """The ledger has no such run. Facts: run, target."""


class RunUnfinished(MudanzaError):
    """The run is not complete: there is nothing whole to verify. Facts: run, status."""


class LedgerMissing(MudanzaError):
    """The target has no ledger: nothing was ever migrated into it. Facts: target."""


class LedgerVersion(MudanzaError):
    """The ledger was written by another version of Mudanza. Facts: found, wanted."""


class OtherSource(MudanzaError):
    """The run in this target schema was made from another source. Facts: run, was, now."""


class CountsDisagree(MudanzaError):
    """After a run, rows of the source are not rows of the target plus quarantined ones.

    Facts: table, source, target, quarantined.
    """


class KeyDidNotAdvance(MudanzaError):
    """Paging met a key that is not past the last one. Facts: table, key."""


# --- quarantine --------------------------------------------------------------


class QuarantineRowUnknown(MudanzaError):
    """No quarantined row is meant by these words. Facts: row, run."""


class QuarantineRowAmbiguous(MudanzaError):
    """Several quarantined rows are meant where one must be. Facts: row, rows."""


class QuarantineColumnUnknown(MudanzaError):
    """The table has no such column. Facts: table, column."""


class EditDoesNotFit(MudanzaError):
    """The value that is to be put in place has none either. Facts: column, type, rule."""


class RuleChangesRows(MudanzaError):
    """Under another rule, rows that are in the target would be others.

    Facts: column, was, now, rule, rows.
    """


class TypeNotCastable(MudanzaError):
    """The target's column cannot get another type with every value the same.

    Facts: column, was, now, detail.
    """


class ExportUnwritable(MudanzaError):
    """The quarantine cannot be written where it was asked for. Facts: path, detail."""


def written(error: MudanzaError) -> str:
    """An error as one line of text, to be read again by :func:`read`."""
    facts = {name: str(value) for name, value in error.facts.items()}
    return json.dumps({"error": error.id, "facts": facts})


def read(text: str) -> MudanzaError | None:
    """The error that :func:`written` wrote; None for any other text."""
    try:
        said = json.loads(text)
        kind = error_of(said["error"])
        return None if kind is None else kind(**said["facts"])
    except (ValueError, TypeError, KeyError):
        return None


def error_of(error_id: str) -> type[MudanzaError] | None:
    """The kind of error with an id, None for an id that no kind has."""
    kinds = [MudanzaError]
    while kinds:
        kind = kinds.pop()
        if kind.id == error_id:
            return kind
        kinds.extend(kind.__subclasses__())
    return None
