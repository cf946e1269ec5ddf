"""Rows into the application's own schema: it is the same afterwards, and holds them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from core.errors import RunCancelled, TargetNotEmpty
from core.plan import Build, BuildKind, Fate, ObjectFate, parse_document
from core.schema.found import read_found
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.adopting import compared, still_down
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import EXIT_DONE, EXIT_PARTIAL, RunReport, Way
from core.transfer.steering import Asked, Place, RunRequest, steer
from core.verify import parity
from tests.adopt.application import asked, done, dump, fetched, made_in, source_in
from tests.transfer.running import check_ledger, interrupted, prove, source_of, table


def counting(report: RunReport) -> set[tuple[str, str, str]]:
    return {(o.kind, o.name, o.reason) for o in report.objects if o.counts}


@pytest.mark.parametrize("way", [Way.EXACT, Way.ARROW])
def test_the_schema_is_the_same_afterwards(way: Way, database: str, tmp_path: Path) -> None:
    made_in(database)
    before = dump(database)
    source = source_in(tmp_path)
    report = migrate(asked(source, database, tmp_path, way=way))

    assert dump(database) == before
    assert report.exit_code == EXIT_DONE
    assert counting(report) == set()
    assert [(t.name, t.rows_target) for t in report.tables] == [("Users", 7), ("posts", 7)]
    prove(source, database, tmp_path, way=way)


def test_the_rows_are_of_the_applications_own_types(database: str, tmp_path: Path) -> None:
    made_in(database)
    migrate(asked(source_in(tmp_path), database, tmp_path))

    (row,) = fetched(database, "SELECT (u.*)::text FROM users u WHERE id = 3")
    assert row[0] == (
        '(3,"name 3",n3@x.org,t,sad,00000000-0000-0000-0000-000000000003,"{""n"": 3}",'
        '"2024-07-03 10:00:00+00",0.75,3,3.25,"\\\\x03",abcd,1990-01-03,13,none,"NAME 3")'
    )


def test_triggers_rest_while_rows_come_and_fire_again_afterwards(
    database: str, tmp_path: Path
) -> None:
    made_in(database)
    migrate(asked(source_in(tmp_path), database, tmp_path))

    assert fetched(database, "SELECT count(*) FROM audit") == [(0,)]
    made = "INSERT INTO users (name, made) VALUES ('late', now()) RETURNING id, name"
    assert fetched(database, made) == [(8, "LATE")]
    assert fetched(database, "SELECT count(*) FROM audit") == [(2,)]
    again = "INSERT INTO posts (user_id, title, hidden) VALUES (8, 'x', false) RETURNING id"
    assert fetched(database, again) == [(18,)]


def test_a_sequence_is_never_set_back(database: str, tmp_path: Path) -> None:
    made_in(database, "SELECT setval('users_id_seq', 500);")
    migrate(asked(source_in(tmp_path), database, tmp_path))

    assert fetched(database, "SELECT nextval('users_id_seq')") == [(501,)]


def test_what_has_no_counterpart_is_named_and_counts(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(
        tmp_path,
        "CREATE TABLE lost (a); INSERT INTO lost VALUES (1), (2);"
        'ALTER TABLE "Users" ADD COLUMN nick TEXT; ALTER TABLE "Users" ADD COLUMN Upper_Name TEXT;'
        "UPDATE \"Users\" SET nick = 'x' WHERE id < 4;",
    )
    report = migrate(asked(source, database, tmp_path))

    assert report.exit_code == EXIT_PARTIAL
    assert counting(report) == {
        ("table", "lost", "no_counterpart"),
        ("column", "Users.nick", "no_counterpart"),
        ("column", "Users.Upper_Name", "computed_there"),
    }
    only_there = {o.name for o in report.objects if o.reason == "only_in_target"}
    assert only_there == {"audit", "outside", "users.note"}
    prove(source, database, tmp_path)


def test_names_that_a_plan_gives_are_looked_for(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path, 'ALTER TABLE "Users" RENAME COLUMN name TO nick')
    plan = parse_document(
        'mudanza_plan = 1\nadopt = true\nzone = "UTC"\n[[table]]\nname = "Users"\n'
        'columns = [{ name = "nick", target = "name" }]',
        "plan.toml",
    )
    report = migrate(asked(source, database, tmp_path, choices=plan))

    assert counting(report) == set()
    assert fetched(database, "SELECT name, made::text FROM users WHERE id = 1") == [
        ("name 1", "2024-07-01 12:00:00+00")
    ]


def test_values_that_do_not_fit_are_set_aside(database: str, tmp_path: Path) -> None:
    made_in(database)
    extra = "1, 'm@x.org', 1, 'ok', NULL, '{}', '2024-01-01', 1.5, 1, 1.0, x'00', 'ab', NULL, NULL"
    wrong = {
        "rank": "40000",
        "mood": "'angry'",
        "score": "0.1",
        "name": "'longer than twenty letters'",
        "code": "'a  '",
        "made": "'2024-03-31 02:30:00'",
        "mail": "'nobody'",
        "price": "1.005",
        "active": "2",
    }
    columns = "name,mail,active,mood,token,doc,made,score,rank,price,raw,code,born,best_post"
    inserts = ""
    for number, (column, value) in enumerate(wrong.items(), start=20):
        values = dict(zip(columns.split(","), extra.split(", "), strict=True))
        values |= {"name": f"'u{number}'", "mail": f"'u{number}@x.org'", column: value}
        inserts += (
            f'INSERT INTO "Users" (id, {columns}) VALUES ({number}, {",".join(values.values())});'
        )
    report = migrate(asked(source_in(tmp_path, inserts), database, tmp_path))

    users = table(report, "Users")
    assert (users.rows_source, users.rows_target, users.rows_quarantined) == (16, 7, 9)
    aside = dict(fetched(database, "SELECT key_shown, reason FROM mudanza.quarantine"))
    assert {column: aside[str(20 + n)] for n, column in enumerate(wrong)} == {
        "rank": "integer_out_of_range",
        "mood": "not_a_label",
        "score": "inexact_in_real",
        "name": "text_too_long",
        "code": "blanks_at_end",
        "made": "not_one_moment",
        "mail": "refused_by_server",
        "price": "beyond_precision",
        "active": "not_a_boolean",
    }
    prove(tmp_path / "app.db", database, tmp_path)


def test_what_rows_break_stands_not_valid_or_is_named_with_its_ddl(
    database: str, tmp_path: Path
) -> None:
    made_in(database)
    before = dump(database)
    broken = 'UPDATE "Users" SET best_post = 99, rank = -1, token = NULL WHERE id = 1;'
    broken += 'UPDATE "Users" SET token = (SELECT token FROM "Users" WHERE id = 2) WHERE id = 3;'
    source = source_in(tmp_path, broken)
    report = migrate(asked(source, database, tmp_path))

    assert report.exit_code == EXIT_PARTIAL
    assert counting(report) == {
        ("foreign_key", "users_best_fk", "not_valid"),
        ("check", "rank_low", "check_broken"),
        ("unique", "users_token_ix", "not_restored"),
    }
    (lost,) = (o for o in report.objects if o.reason == "not_restored")
    assert lost.fate is Fate.NOT_CARRIED
    assert "CREATE UNIQUE INDEX users_token_ix" in lost.facts["sql"]
    gone, come = set(before) - set(dump(database)), set(dump(database)) - set(before)
    assert {line for line in gone if "users_token_ix" not in line} == {
        "    ADD CONSTRAINT users_best_fk FOREIGN KEY (best_post) REFERENCES public.posts(id) DEFERRABLE;",
        "    CONSTRAINT rank_low CHECK ((rank >= 0))",
        *(line for line in gone if line.startswith("    upper_name")),
    }
    assert any(line.endswith("NOT VALID;") and "users_best_fk" in line for line in come)
    with psycopg.connect(database, autocommit=True) as connection:
        run = Ledger(connection).run(report.run)
        assert [b.name for b in still_down(connection, run)] == ["users_token_ix"]
    prove(source, database, tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        "DROP INDEX users_made_ix",
        "DROP INDEX users_made_ix; CREATE INDEX users_made_ix ON users (made)",
        "ALTER TABLE posts DROP CONSTRAINT posts_user_fk",
        "ALTER TABLE users DISABLE TRIGGER noting",
        "ALTER TABLE outside DROP CONSTRAINT outside_fk",
        "SELECT setval('users_id_seq', 3)",
    ],
)
def test_verify_finds_what_no_longer_stands(damage: str, database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path)
    migrate(asked(source, database, tmp_path))
    done(database, damage)
    target = parse_target(database)
    proof = parity.verify(parity.Request(source=inspect(source), target=target, home=tmp_path))

    assert len([r for r in proof.relations if not r.holds]) == 1


def test_verify_finds_a_changed_value(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path)
    migrate(asked(source, database, tmp_path))
    fetched(database, "UPDATE users SET mood = 'ok' WHERE id = 3 RETURNING 1")
    target = parse_target(database)
    request = parity.Request(source=inspect(source), target=target, home=tmp_path, reveal=True)
    (changed,) = (d for t in parity.verify(request).tables for d in t.samples)

    assert (changed.key, changed.column, changed.source, changed.target) == (
        *("3", "mood"),
        *("sad", "ok"),
    )


def test_integers_of_any_width_go_by_columns(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE n (id integer PRIMARY KEY, small smallint, at timestamptz, u uuid)"
        )
    rows = [(n, n % 300 - 150, "2024-01-02 03:04:05+02:00", f"{n:032x}") for n in range(2000)]
    sql = "CREATE TABLE n (id INTEGER PRIMARY KEY, small INT, at TEXT, u TEXT)"
    source = source_of(tmp_path / "n.db", sql, {"n": rows})
    migrate(asked(source, database, tmp_path, way=Way.ARROW))

    assert fetched(database, "SELECT DISTINCT path FROM mudanza.chunk WHERE rows_read > 0") == [
        ("arrow",)
    ]
    summed = "SELECT count(*), sum(small), min(at)::text, max(u::text) FROM n"
    assert fetched(database, summed) == [
        (2000, sum(r[1] for r in rows), "2024-01-02 01:04:05+00",
         "00000000-0000-0000-0000-0000000007cf")
    ]  # fmt: skip
    prove(source, database, tmp_path, way=Way.ARROW)


# --- over before its end --------------------------------------------------------------------


def cancel(database: str, report_run: object) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        (run,) = (r for r in Ledger(connection).runs() if str(r.run) == str(report_run))
    place = Place(target=parse_target(database), run=run.run)
    steer(place, RunRequest(run=run.run, kind=Asked.CANCEL, asked_by="test"))


def run_in(database: str) -> object:
    return fetched(database, "SELECT run FROM mudanza.run WHERE status <> 'replaced'")[0][0]


def test_a_run_that_is_stopped_is_taken_up_again(database: str, tmp_path: Path) -> None:
    made_in(database)
    before = dump(database)
    source = source_in(tmp_path)
    interrupted(asked(source, database, tmp_path), chunks=2)

    assert dump(database) != before
    check_ledger(database)
    # It is in the run's own plan: nobody needs to say it again.
    report = migrate(asked(source, database, tmp_path, choices=None))
    assert report.resumed
    assert dump(database) == before
    prove(source, database, tmp_path)


def test_a_cancelled_run_puts_everything_back(database: str, tmp_path: Path) -> None:
    made_in(database)
    before = dump(database)
    source = source_in(tmp_path)
    interrupted(asked(source, database, tmp_path), chunks=1)
    cancel(database, run_in(database))

    gone = set(before) - set(dump(database))
    # Posts are not there yet, so what refers to them stands NOT VALID.
    assert all("users_best_fk" in line for line in gone)
    with pytest.raises(RunCancelled):
        migrate(asked(source, database, tmp_path))


def test_emptied_after_a_cancelled_run_it_is_begun_anew(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path, 'UPDATE "Users" SET best_post = NULL')
    before = dump(database)
    interrupted(asked(source, database, tmp_path), chunks=1)
    cancel(database, run_in(database))
    assert dump(database) == before
    done(database, "TRUNCATE users, posts, outside")

    report = migrate(asked(source, database, tmp_path))
    assert (report.resumed, report.exit_code) == (False, EXIT_DONE)
    assert dump(database) == before
    prove(source, database, tmp_path)


def test_the_applications_tables_are_never_replaced(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path)
    migrate(asked(source, database, tmp_path))
    with pytest.raises(TargetNotEmpty):
        migrate(asked(source, database, tmp_path, choices=None, replace=True))

    assert fetched(database, "SELECT count(*) FROM users") == [(7,)]


def test_a_complete_run_does_nothing_again(database: str, tmp_path: Path) -> None:
    made_in(database)
    source = source_in(tmp_path)
    migrate(asked(source, database, tmp_path))

    assert migrate(asked(source, database, tmp_path)).repeated


# --- what PostgreSQL prints another way once it has read it ----------------------------------

ROLES = """CREATE TABLE t (id bigint PRIMARY KEY, role varchar(20) NOT NULL,
    CONSTRAINT role_known CHECK (role IN ('a', 'b')))"""


@pytest.mark.parametrize(
    ("role", "code", "reason"), [("b", EXIT_DONE, ""), ("x", EXIT_PARTIAL, "check_broken")]
)
def test_a_check_that_is_printed_otherwise_is_the_same(
    database: str, tmp_path: Path, role: str, code: int, reason: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(ROLES.encode())
    source = tmp_path / "app.db"
    with closing(sqlite3.connect(source)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, role VARCHAR(20) NOT NULL)")
        made.execute("INSERT INTO t VALUES (1, 'a'), (2, ?)", (role,))
        made.commit()
    report = migrate(asked(source, database, tmp_path))
    assert report.exit_code == code
    (check,) = (o for o in report.objects if o.name == "role_known")
    assert check.reason == reason
    assert "ANY" in check.facts["sql"]
    prove(source, database, tmp_path)


def test_a_check_that_became_another_is_told(database: str, tmp_path: Path) -> None:
    """Somebody's event trigger, say: what stands is not what stood."""
    with psycopg.connect(database) as connection:
        connection.execute(ROLES.encode())
        (found,) = (f for f in read_found(connection, "public").objects if f.kind == "check")
        fate = ObjectFate(kind="check", name=found.name, table="t", fate=Fate.CARRIED)
        build = Build(
            kind=BuildKind.CHECK, name=found.name, table="t", sql=found.add,
            definition=found.definition, asks=found.asks, fate=fate,
        )  # fmt: skip
        connection.execute("ALTER TABLE t DROP CONSTRAINT role_known")
        connection.execute("ALTER TABLE t ADD CONSTRAINT role_known CHECK (role IN ('a', 'c'))")
        fate = compared(connection, build, build.fate)
        connection.rollback()
    assert fate.reason == "restored_otherwise"
    assert fate.counts
