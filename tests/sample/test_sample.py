"""The sample is what it says: exact counts, the same bytes, and dirt only where it is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from core.sample import Misfit, MisfitKind, SampleFacts, build_sample, plant_all_dirt

TABLES = 15


def reader(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)


@pytest.fixture(scope="module")
def clean(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[apsw.Connection, SampleFacts]]:
    path = tmp_path_factory.mktemp("clean") / "clean.db"
    facts = build_sample(path, rows=5000)
    connection = reader(path)
    yield connection, facts
    connection.close()


@pytest.fixture(scope="module")
def dirty(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[apsw.Connection, SampleFacts]]:
    path = tmp_path_factory.mktemp("dirty") / "dirty.db"
    facts = build_sample(path, rows=5000, dirt=True)
    connection = reader(path)
    yield connection, facts
    connection.close()


# --- the same, and exactly so many --------------------------------------------------


@pytest.mark.parametrize("dirt", [False, True])
def test_the_same_arguments_give_the_same_bytes(dirt: bool, tmp_path: Path) -> None:
    facts = [build_sample(tmp_path / f"{n}.db", rows=3000, seed=7, dirt=dirt) for n in (1, 2)]
    assert facts[0] == facts[1]
    assert (tmp_path / "1.db").read_bytes() == (tmp_path / "2.db").read_bytes()


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    build_sample(tmp_path / "1.db", rows=3000, seed=1)
    assert build_sample(tmp_path / "2.db", rows=3000, seed=2).seed == 2
    assert (tmp_path / "1.db").read_bytes() != (tmp_path / "2.db").read_bytes()


@pytest.mark.parametrize("rows", [300, 301, 999, 1000, 12_345, 20_000])
@pytest.mark.parametrize("dirt", [False, True])
def test_the_rows_are_exactly_as_many_as_asked(rows: int, dirt: bool, tmp_path: Path) -> None:
    facts = build_sample(tmp_path / "a.db", rows=rows, dirt=dirt)
    assert len(facts.rows) == TABLES
    assert sum(count for _, count in facts.rows) == rows
    connection = reader(tmp_path / "a.db")
    for table, count in facts.rows:
        assert connection.execute(f"SELECT count(*) FROM {table}").get == count > 0
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="300"):
        build_sample(tmp_path / "a.db", rows=299)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("mine")
    with pytest.raises(FileExistsError):
        build_sample(tmp_path / "a.db", rows=300)
    assert (tmp_path / "a.db").read_text() == "mine"


def test_a_failure_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.sample.building._sql", lambda name: "no SQL")
    with pytest.raises(apsw.SQLError):
        build_sample(tmp_path / "a.db", rows=300)
    assert list(tmp_path.iterdir()) == []


# --- clean --------------------------------------------------------------------------


def test_a_clean_sample_keeps_its_own_rules(clean: tuple[apsw.Connection, SampleFacts]) -> None:
    connection, facts = clean
    assert facts.misfits == ()
    assert facts.objects == ()
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA journal_mode").get == "delete"
    kinds = connection.execute("SELECT type, count(*) FROM sqlite_schema GROUP BY type")
    assert dict(kinds.fetchall()).keys() == {"table", "index"}
    sql = connection.execute("SELECT group_concat(upper(sql), ';') FROM sqlite_schema").get
    for word in ("CHECK", "GENERATED", "VIRTUAL", " WHERE ", "CURRENT_"):
        assert word not in str(sql)


def test_orders_cost_what_their_items_cost(clean: tuple[apsw.Connection, SampleFacts]) -> None:
    connection, _ = clean
    wrong = connection.execute("""
        SELECT o.id, o.total, sum(i.quantity * i.unit_price) AS items FROM orders AS o
        JOIN order_items AS i ON i.order_id = o.id GROUP BY o.id
        HAVING abs(o.total - items) > 0.001
    """).fetchall()
    assert wrong == []
    unpaid = "SELECT count(*) FROM payments JOIN orders USING (id) WHERE amount <> total"
    assert connection.execute(unpaid).get == 0
    empty = "SELECT count(*) FROM orders WHERE id NOT IN (SELECT order_id FROM order_items)"
    assert connection.execute(empty).get == 0
    elsewhere = "SELECT count(*) FROM orders o JOIN addresses a ON a.id = address_id WHERE a.user_id <> o.user_id"
    assert connection.execute(elsewhere).get == 0


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("stock below nothing", "SELECT count(*) FROM products WHERE stock < 0"),
        ("cents only", "SELECT count(*) FROM products WHERE round(price, 2) <> price"),
        ("JSON", "SELECT count(*) FROM payments WHERE NOT json_valid(response)"),
        ("more JSON", "SELECT count(*) FROM sessions WHERE NOT json_valid(payload)"),
        ("dates", "SELECT count(*) FROM users WHERE birth_date <> date(birth_date)"),
        ("naive times", "SELECT count(*) FROM reviews WHERE created_at NOT GLOB '????-??-?? ??:??:??.??????'"),
        ("offsets", "SELECT count(*) FROM orders WHERE placed_at NOT GLOB '*T*[+-]??:??'"),
        ("hex keys", "SELECT count(*) FROM users WHERE length(public_id) <> 32"),
        ("dashed keys", "SELECT count(*) FROM orders WHERE length(reference) <> 36"),
        ("too long", "SELECT count(*) FROM products WHERE length(name) > 120 OR name <> trim(name)"),
        ("booleans", "SELECT count(*) FROM users WHERE is_active NOT IN (0, 1)"),
        ("sequence", "SELECT count(*) FROM sqlite_sequence WHERE seq <> (SELECT max(id) FROM payments) AND name = 'payments'"),
    ],
)  # fmt: skip
def test_clean_values_fit(
    what: str, query: str, clean: tuple[apsw.Connection, SampleFacts]
) -> None:
    assert clean[0].execute(query).get == 0, what


def test_the_columns_exercise_a_migration(clean: tuple[apsw.Connection, SampleFacts]) -> None:
    connection, _ = clean
    for query in (
        "SELECT count(*) FROM users WHERE full_name GLOB '*[^ -~]*'",
        "SELECT count(*) FROM reviews WHERE body LIKE '%👍%'",
        "SELECT count(*) FROM product_images WHERE typeof(body) = 'blob' AND length(body) > 100",
        "SELECT count(*) FROM products WHERE typeof(price) = 'integer'",
        "SELECT count(*) FROM products WHERE typeof(price) = 'real'",
        "SELECT count(*) FROM products WHERE views > 2147483647",
        "SELECT count(*) FROM users WHERE bio IS NULL",
        "SELECT count(*) FROM categories WHERE parent_id IS NULL",
        "SELECT count(*) FROM users WHERE email <> lower(email) COLLATE BINARY",
    ):
        assert int(str(connection.execute(query).get)) > 0, query


# --- dirty --------------------------------------------------------------------------

FOUND_BY = {
    MisfitKind.TEXT_IN_INTEGER: "typeof({column}) = 'text'",
    MisfitKind.TEXT_IN_DECIMAL: "typeof({column}) = 'text'",
    MisfitKind.NOT_A_DATE: "{column} NOT GLOB '????-??-?? ??:??:??*'",
    MisfitKind.NUL_IN_TEXT: "instr({column}, char(0)) > 0",
    MisfitKind.INVALID_UTF8: "hex({column}) IN ('6D61F1616E61', 'EDA0BD20C3')",
    MisfitKind.NULL_IN_KEY: "{column} IS NULL",
    MisfitKind.ORPHAN: "{column} NOT IN (SELECT id FROM products)",
    MisfitKind.TOO_MANY_DECIMALS: "{column} <> round({column}, 2)",
    MisfitKind.NOT_A_BOOLEAN: "{column} NOT IN (0, 1)",
    MisfitKind.TOO_LONG: "length({column}) > 80",
}


@pytest.mark.parametrize("kind", FOUND_BY)
def test_each_misfit_is_where_it_is_said_to_be(
    kind: MisfitKind,
    clean: tuple[apsw.Connection, SampleFacts],
    dirty: tuple[apsw.Connection, SampleFacts],
) -> None:
    named = [misfit for misfit in dirty[1].misfits if misfit.kind == kind]
    ((table, column),) = {(misfit.table, misfit.column) for misfit in named}
    query = f"SELECT rowid FROM {table} WHERE {FOUND_BY[kind].format(column=column)} ORDER BY 1"
    found = [rowid for (rowid,) in dirty[0].execute(query).fetchall()]
    assert found == [misfit.rowid_or_key for misfit in named]
    assert clean[0].execute(query).fetchall() == []


def test_the_gap_lies_behind_the_last_key(dirty: tuple[apsw.Connection, SampleFacts]) -> None:
    connection, facts = dirty
    (gap,) = [misfit for misfit in facts.misfits if misfit.kind == MisfitKind.SEQUENCE_GAP]
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (gap.table,)).get
    assert last == gap.rowid_or_key > connection.execute(f"SELECT max(id) FROM {gap.table}").get


def test_every_kind_is_planted_and_no_column_has_too_many(
    dirty: tuple[apsw.Connection, SampleFacts],
) -> None:
    misfits = dirty[1].misfits
    assert {misfit.kind for misfit in misfits} == set(MisfitKind)
    assert max(Counter((misfit.table, misfit.column) for misfit in misfits).values()) <= 3


def differing_rows(connection: apsw.Connection, table: str) -> int:
    # The clean side's columns: a dirty sample has one more, planted with its CHECK.
    columns = [row[1] for row in connection.execute(f"PRAGMA clean.table_info({table})").fetchall()]
    listed = ", ".join(f"CAST({column} AS BLOB)" for column in columns)
    query = f"SELECT {listed} FROM main.{table} EXCEPT SELECT {listed} FROM clean.{table}"
    return int(str(connection.execute(f"SELECT count(*) FROM ({query})").get))


def test_nothing_else_is_dirty(
    clean: tuple[apsw.Connection, SampleFacts], dirty: tuple[apsw.Connection, SampleFacts]
) -> None:
    connection = reader(Path(dirty[0].filename))
    connection.execute("ATTACH ? AS clean", (clean[0].filename,))

    def rows(misfit: Misfit) -> tuple[str, int]:
        return misfit.table, misfit.rowid_or_key

    planted = [m for m in dirty[1].misfits if m.kind != MisfitKind.SEQUENCE_GAP]
    for table, _ in dirty[1].rows:
        expected = len({rows(misfit) for misfit in planted if misfit.table == table})
        assert differing_rows(connection, table) == expected, table
    connection.close()


def test_planted_objects_are_there(dirty: tuple[apsw.Connection, SampleFacts]) -> None:
    connection, facts = dirty
    kinds = dict(connection.execute("SELECT name, type FROM sqlite_schema").fetchall())
    for kind, name in facts.objects:
        stored_as = "table" if kind == "check" else kind.removeprefix("virtual ")
        assert kinds[name] == stored_as
    assert connection.execute(
        "SELECT sql LIKE '%CHECK%' FROM sqlite_schema WHERE name = 'reviews'"
    ).get


# --- every kind of dirt ---------------------------------------------------------------


def test_all_dirt_comes_beside_the_marketplace_and_is_the_same_every_time(tmp_path: Path) -> None:
    planted = []
    for name in ("1.db", "2.db"):
        build_sample(tmp_path / name, rows=300)
        planted.append(plant_all_dirt(tmp_path / name))
    build_sample(tmp_path / "clean.db", rows=300)
    assert planted[0] == planted[1]
    assert len({one.kind for one in planted[0]}) >= 25
    assert (tmp_path / "1.db").read_bytes() == (tmp_path / "2.db").read_bytes()

    connection = reader(tmp_path / "1.db")
    connection.execute("ATTACH ? AS clean", (str(tmp_path / "clean.db"),))
    own = connection.execute("SELECT name FROM clean.sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in own:
        if not str(table).startswith("sqlite_"):
            assert differing_rows(connection, str(table)) == 0
    connection.close()
