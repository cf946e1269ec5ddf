"""Names in the target: the source's own, or one that is recorded; each once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.plan.names import NAME_BYTES_MAX, SYSTEM_COLUMNS, Names, column_names
from core.source.rows import quoted
from tests.plan.planning import planned

LONG = "a" * 64


def test_a_name_that_can_be_had_is_kept() -> None:
    kept = ["Order", "select", 'a"q', "with space", "%s {0}", "é" * 31, "a" * 63, "oid", "XMIN"]

    assert column_names(kept) == {name: name for name in kept}


def test_a_long_name_is_cut_between_characters() -> None:
    cut = Names().give("é" * 32)

    assert len(cut.encode()) <= NAME_BYTES_MAX
    assert cut.startswith("é" * 27 + "_")
    assert cut == Names().give("é" * 32)


def test_names_that_begin_alike_stay_apart() -> None:
    given_names = column_names([LONG + "x", LONG + "y"])

    assert len(set(given_names.values())) == 2


def test_system_columns_and_empty_names_get_another() -> None:
    given_names = column_names(["ctid", "", "tableoid"])

    assert given_names == {"ctid": "ctid_", "": "unnamed", "tableoid": "tableoid_"}


def test_a_new_name_never_takes_a_neighbours() -> None:
    given_names = column_names(["xmin", "", "xmin_", "unnamed"])

    assert given_names["xmin_"] == "xmin_"
    assert given_names["unnamed"] == "unnamed"
    assert len(set(given_names.values())) == 4


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text(max_size=80), unique=True, max_size=8))
def test_every_column_has_a_name_that_postgresql_can_have(wanted: list[str]) -> None:
    given_names = column_names(wanted)

    assert list(given_names) == wanted
    assert len(set(given_names.values())) == len(wanted)
    for name in given_names.values():
        assert 1 <= len(name.encode(errors="surrogatepass")) <= NAME_BYTES_MAX
        assert name not in SYSTEM_COLUMNS


def test_a_quoted_name() -> None:
    assert quoted('a"b') == '"a""b"'


def test_tables_keys_indexes_and_sequences_share_one_space_of_names() -> None:
    plan = planned(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); CREATE TABLE t_id_seq (a);"
        "CREATE TABLE t_pkey (a); CREATE TABLE t_a_key (a); CREATE INDEX t_id ON t (a);"
    )
    names = [t.target for t in plan.tables] + [b.name for b in plan.builds if b.kind != "sequence"]
    names.append(plan.table("t").column("id").sequence)

    assert len(set(names)) == len(names)
    assert {t.name: t.target for t in plan.tables} == {t.name: t.name for t in plan.tables}
