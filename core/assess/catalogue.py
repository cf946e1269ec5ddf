"""The catalogue of findings: everything that assessment can say.

An id is two words, ``<what it is about>.<what is the matter>``, and never changes its
meaning: plans accept findings by it. Its sentences are ``finding.<id>`` and
``finding.<id>.remedy`` in :mod:`core.words`. A finding that speaks of the fate of an
object needs no sentence of its own: it says ``fate.<reason>``, and a remedy that
several may share (``finding.remedy.<remedy>``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How grave: a blocker ends the assessment with exit code 4; a warning wants a
    decision; a note wants to be known."""

    BLOCKER = "blocker"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One kind of finding.

    ``minutes``: of a person's work for one object; ``per_thousand``: for each begun
    thousand of rows. ``fate``: the reason of an object's fate that it tells, ``reject``:
    the reason for which it sets rows aside. ``remedy``: the id of a shared remedy, ''
    for its own. ``worse``: its severity once so many values are concerned that the
    column has lost its type.
    """

    id: str
    severity: Severity
    minutes: int = 0
    per_thousand: int = 0
    fate: str = ""
    reject: str = ""
    remedy: str = ""
    worse: Severity | None = None

    @property
    def sentence_id(self) -> str:
        """The id in :mod:`core.words` of what it means."""
        return f"fate.{self.fate}" if self.id == f"object.{self.fate}" else f"finding.{self.id}"

    @property
    def remedy_id(self) -> str:
        """The id in :mod:`core.words` of what to do about it."""
        return f"finding.remedy.{self.remedy}" if self.remedy else f"finding.{self.id}.remedy"


_BLOCKER, _WARNING, _NOTE = Severity.BLOCKER, Severity.WARNING, Severity.NOTE


def _value(
    finding: str,
    reject: str = "",
    *,
    severity: Severity = _WARNING,
    minutes: int = 10,
    worse: Severity | None = None,
) -> Entry:
    """Values that do not fit, or only after a change of type."""
    each = 5 if severity is not _NOTE else 0
    return Entry(
        id=finding,
        severity=severity,
        minutes=minutes,
        per_thousand=each,
        reject=reject,
        worse=worse,
    )


def _note(finding: str, minutes: int = 0) -> Entry:
    return Entry(id=finding, severity=_NOTE, minutes=minutes)


def _fate(reason: str, severity: Severity, minutes: int, remedy: str) -> Entry:
    """An object that does not arrive as it was, told by the words of its fate."""
    return Entry(
        id=f"object.{reason}", severity=severity, minutes=minutes, fate=reason, remedy=remedy
    )


_ENTRIES = (
    # --- numbers
    _value("integer.text", "not_an_integer"),
    _value("integer.fraction", "not_an_integer"),
    _value("integer.beyond_bigint", "not_an_integer"),
    _value("integer.beyond_type", "integer_out_of_range"),
    _value("number.text", "not_a_real"),
    _value("real.beyond_single", "inexact_in_real"),
    _value("real.inexact_integer", "integer_beyond_double"),
    _value("decimal.text", "not_a_number"),
    _value("decimal.beyond_precision", "beyond_precision", severity=_NOTE, minutes=5),
    _value("decimal.beyond_scale", severity=_NOTE, minutes=5),
    _value("decimal.rounded_in_source", severity=_NOTE, minutes=10),
    _value("decimal.infinite", severity=_NOTE, minutes=10),
    # --- booleans
    _value("boolean.other_value", "not_a_boolean"),
    _value("boolean.spelled", severity=_NOTE, minutes=10),
    # --- moments
    _value("moment.impossible", "not_a_moment"),
    _value("moment.magic_word", "not_a_moment"),
    _value("moment.beyond_a_day", "not_a_moment"),
    _value("moment.unreadable", "not_a_moment"),
    _value("moment.other_shape", "not_a_moment"),
    _value("moment.epoch", "not_a_moment", minutes=15),
    _value("moment.julian", "not_a_moment", minutes=15),
    _value("moment.mixed_offset", minutes=30),
    _value("moment.not_one", "not_one_moment"),
    _value("moment.too_fine", "finer_than_type"),
    _value("moment.several_spellings", severity=_NOTE, minutes=5),
    # --- texts and bytes
    _value("text.nul", "nul_in_text", worse=_BLOCKER),
    _value("text.invalid", "invalid_text", worse=_BLOCKER),
    _value("text.bytes", "not_text"),
    _value("text.number", "not_text"),
    _value("text.too_long", "text_too_long", severity=_NOTE, minutes=5),
    _value("text.no_label", "not_a_label"),
    _value("text.blanks_lost", "blanks_at_end"),
    _value("text.trailing_blanks", severity=_NOTE, minutes=5),
    _value("bytes.text", severity=_NOTE, minutes=5),
    _value("bytes.number", "not_bytes"),
    _value("value.bytes_in_typed"),
    _value("value.empty"),
    _value("value.huge", severity=_WARNING, minutes=30),
    # --- documents
    _value("json.invalid", "not_json"),
    _value("json.duplicate_keys", severity=_NOTE, minutes=10),
    _value("json.not_in_jsonb", severity=_NOTE, minutes=10),
    _value("uuid.invalid", "not_a_uuid"),
    _value("uuid.several_forms", minutes=15),
    # --- keys and references
    _value("key.null", "null_in_not_null"),
    _value("column.null", "null_in_not_null"),
    _value("key.duplicate", "duplicate_key", minutes=15),
    Entry(id="reference.orphans", severity=_WARNING, minutes=15, per_thousand=5, fate="not_valid"),
    Entry(id="reference.set_aside", severity=_WARNING, minutes=5, fate="not_valid"),
    Entry(
        id="reference.in_other_letters",
        severity=_WARNING,
        minutes=15,
        per_thousand=5,
        fate="not_valid_by_letters",
    ),
    Entry(id="check.broken", severity=_WARNING, minutes=10, per_thousand=5, fate="check_broken"),
    _note("sequence.far_ahead"),
    Entry(id="sequence.at_end", severity=_WARNING, minutes=60),
    _note("table.no_key", 15),
    # --- names and sizes
    *(
        Entry(id=f"name.{why}", severity=_NOTE, minutes=10, fate="renamed")
        for why in ("too_long", "system_column", "empty", "taken", "chosen")
    ),
    _fate("too_many_columns", _BLOCKER, 240, "split_table"),
    Entry(
        id="table.row_too_wide",
        severity=_WARNING,
        minutes=120,
        reject="refused_by_server",
    ),
    Entry(
        id="index.key_too_long",
        severity=_WARNING,
        minutes=30,
        fate="build_refused",
    ),
    # --- columns that lose their type, or never had one
    _fate("retyped", _WARNING, 15, "retyped"),
    _fate("type_chosen", _NOTE, 0, "nothing"),
    _fate("widened", _NOTE, 0, "nothing"),
    _fate("type_by_census", _NOTE, 5, "name_the_type"),
    _fate("untyped", _NOTE, 5, "name_the_type"),
    # --- comparison
    _fate("collation_by_index", _NOTE, 10, "query_as_index"),
    _fate("collation", _WARNING, 20, "query_as_index"),
    _fate("index_collation", _NOTE, 5, "query_as_index"),
    _fate("reference_by_letters", _NOTE, 5, "query_as_index"),
    _fate("custom_collation", _WARNING, 60, "by_hand"),
    _note("text.like_case", 10),
    # --- objects
    _fate("view", _WARNING, 30, "by_hand"),
    _fate("trigger", _WARNING, 60, "by_hand"),
    _fate("trigger_said", _NOTE, 5, "nothing"),
    _fate("virtual", _WARNING, 120, "search_anew"),
    _fate("rtree", _WARNING, 120, "search_anew"),
    _fate("fts_contentless", _WARNING, 60, "search_anew"),
    _fate("fts_content", _WARNING, 60, "search_anew"),
    _fate("fts_unreadable", _WARNING, 60, "search_anew"),
    _fate("fts_vocabulary", _WARNING, 30, "search_anew"),
    _fate("fts_as_table", _NOTE, 30, "ask_with_tsquery"),
    _fate("fts_index", _NOTE, 30, "ask_with_tsquery"),
    _fate("fts_kept_by_index", _NOTE, 0, "nothing"),
    _fate("shadow_of", _NOTE, 0, "nothing"),
    _fate("shadow", _NOTE, 0, "with_its_module"),
    _fate("check", _WARNING, 20, "by_hand"),
    _fate("conflict_clause", _WARNING, 20, "on_conflict"),
    _fate("generated", _WARNING, 20, "by_hand"),
    _fate("generated_differs", _WARNING, 20, "by_hand"),
    _fate("default_expression", _WARNING, 10, "by_hand"),
    _fate("default_misfit", _WARNING, 10, "by_hand"),
    _fate("partial_index", _WARNING, 20, "by_hand"),
    _fate("expression_index", _WARNING, 15, "by_hand"),
    _fate("said_anew", _NOTE, 0, "nothing"),
    _fate("json_not_comparable", _WARNING, 15, "by_hand"),
    _fate("column_not_carried", _WARNING, 10, "by_hand"),
    _fate("build_refused", _WARNING, 20, "by_hand"),
    _fate("parent_missing", _WARNING, 10, "mend_reference"),
    _fate("parent_key_mismatch", _WARNING, 15, "mend_reference"),
    _fate("parent_not_unique", _WARNING, 15, "mend_reference"),
    _fate("types_differ", _WARNING, 20, "mend_reference"),
    _fate("left_out", _NOTE, 0, "nothing"),
    _fate("filtered", _NOTE, 0, "nothing"),
    _fate("name_met", _NOTE, 10, "nothing"),
    # --- in the application's own schema
    _fate("adopted", _NOTE, 0, "nothing"),
    _fate("no_counterpart", _WARNING, 30, "by_hand"),
    _fate("only_in_target", _NOTE, 5, "nothing"),
    _fate("version_compared", _NOTE, 0, "nothing"),
    _fate("not_restored", _WARNING, 30, "by_hand"),
    _fate("restored_otherwise", _WARNING, 10, "by_hand"),
    _fate("computed_there", _NOTE, 0, "nothing"),
    _fate("unreadable_column", _WARNING, 30, "by_hand"),
    # --- what could not be read
    _fate("name_not_text", _BLOCKER, 30, "mend_source"),
    _fate("sql_not_text", _WARNING, 30, "mend_source"),
    _fate("sql_unparsed", _WARNING, 30, "look_at_sql"),
    _fate("object_malformed", _BLOCKER, 60, "mend_source"),
    _fate("object_unreadable", _BLOCKER, 60, "mend_source"),
    _fate("table_unread", _BLOCKER, 60, "mend_source"),
    _note("source.view_broken"),
    _note("source.module_missing", 10),
    Entry(id="source.integrity", severity=_WARNING, minutes=30),
    _note("source.user_version", 5),
    _note("source.application_id", 5),
    _note("plan.accepted_in_vain"),
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.id: entry for entry in _ENTRIES})
"""Every kind of finding by its id."""
