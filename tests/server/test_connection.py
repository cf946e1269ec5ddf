"""Addresses, and what a driver's error becomes. The server is a real one."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core import errors
from core.server.connection import Target, connect, parse_target, translated
from core.server.embedded import Cluster
from core.words import LANGUAGES, say

CANARY = "c4n4ry-s3kr3t"


def all_that_is_said(error: errors.MudanzaError) -> str:
    """Everything of an error that a person, a log or a ledger may get to see."""
    said = [str(error), repr(error), repr(error.facts)]
    for language in LANGUAGES:
        said += [say(key, language, **error.facts) for key in (error.sentence_id, error.remedy_id)]
    return "\n".join(said)


# --- addresses ---------------------------------------------------------------


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGUSER", "ana")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ana@db.example:6543/shop", "postgresql://ana@db.example:6543/shop"),
        (f"postgres://ana:{CANARY}@db.example/shop", "postgresql://ana@db.example:5432/shop"),
        (f"postgresql://db/shop?user=eva&password={CANARY}", "postgresql://eva@db:5432/shop"),
        (f"host=db user=ana password={CANARY} dbname=shop", "postgresql://ana@db:5432/shop"),
        (f"host=db password='{CANARY} \\' x' dbname='a b'", "postgresql://ana@db:5432/a%20b"),
        (f"postgresql://ana:{CANARY}@/shop?host=/run/pg", "postgresql://ana@/shop?host=/run/pg"),
        (f"postgresql://ana:{CANARY}@[::1]:5433/shop", "postgresql://ana@::1:5433/shop"),
        (f"postgresql://a%40b:{CANARY}%40%2F@db/shop", "postgresql://a%40b@db:5432/shop"),
        (f"postgresql://db/shop?sslpassword={CANARY}", "postgresql://ana@db:5432/shop"),
        (f"service=shop password={CANARY}", "postgresql://?service=shop"),
        ("postgresql://", "postgresql://ana@/ana"),
        ("  postgresql://db/shop\n", "postgresql://ana@db:5432/shop"),
    ],
)
@pytest.mark.usefixtures("plain_environment")
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    target = parse_target(text)
    assert target.shown == shown
    assert CANARY not in repr(target)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "shop.db",
        "./shop.db",
        "mysql://ana:{0}@db/shop",
        "sqlite:///{0}.db",
        "postgresql+psycopg://ana:{0}@db/shop",
        "postgresql://ana:100%{0}@db/shop",
        "postgresql://ana:p@{0}@db/shop",
        "postgresql://ana:p/{0}@db/shop",
        "postgresql://ana:12/{0}@db/shop",
        "postgresql://ana@db:{0}/shop",
        "postgresql://ana@db/shop?passwort={0}",
        "host=db password=two {0}",
        "host=db passwort={0}",
        "host=ana:{0}@db dbname=shop",
        "dbname=postgresql://ana:{0}@db/shop",
        "port={0}",
        "password='{0}",
    ],
)
def test_what_is_no_address_is_refused_and_keeps_its_secret(text: str) -> None:
    with pytest.raises(errors.TargetAddressInvalid) as refused:
        parse_target(text.format(CANARY))
    assert CANARY not in all_that_is_said(refused.value)
    assert refused.value.__cause__ is None  # libpq's own words quote the address
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_path_given_by_mistake_is_shown_whole() -> None:
    with pytest.raises(errors.TargetAddressInvalid) as refused:
        parse_target("./shop.db")
    assert refused.value.facts == {"target": "./shop.db"}


def test_libpqs_environment_fills_what_the_address_leaves_out(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = psycopg.conninfo.conninfo_to_dict(cluster.url("postgres"))
    monkeypatch.setenv("PGHOST", str(words["host"]))
    monkeypatch.setenv("PGPORT", str(words["port"]))
    monkeypatch.setenv("PGUSER", str(words["user"]))
    monkeypatch.setenv("PGPASSWORD", str(words["password"]))
    target = parse_target("postgresql:///postgres")
    assert target.shown == parse_target(cluster.url("postgres")).shown
    with connect(target) as connection:
        assert connection.info.dbname == "postgres"


def test_the_password_file_is_read(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = psycopg.conninfo.conninfo_to_dict(cluster.url("postgres"))
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"127.0.0.1:{words['port']}:*:mudanza:{words['password']}\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    address = f"postgresql://mudanza@127.0.0.1:{words['port']}/postgres"
    with connect(parse_target(address)) as connection:
        assert connection.info.user == "mudanza"


# --- a connection ------------------------------------------------------------


def test_a_session_speaks_one_dialect_whatever_the_role_prefers(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        name = admin.info.dbname
        for setting in (
            "TimeZone = 'Asia/Tokyo'",
            "DateStyle = 'SQL, DMY'",
            "bytea_output = 'escape'",
            "extra_float_digits = -5",
        ):
            admin.execute(f"ALTER DATABASE {name} SET {setting}")
    with connect(parse_target(database)) as connection:
        row = connection.execute(
            "SELECT current_setting('TimeZone'), date '2024-01-31', timestamptz '2024-01-31 12:00Z',"
            " '\\xff'::bytea::text, (0.1::float8 + 0.2::float8)::text,"
            " current_setting('application_name'), current_setting('client_encoding')"
        ).fetchone()
        shown = connection.execute("SELECT (date '2024-01-31')::text").fetchone()
    assert row is not None
    assert row[0] == "UTC"
    assert row[3:] == ("\\xff", "0.30000000000000004", "mudanza", "UTF8")
    assert shown == ("2024-01-31",)


def test_the_settings_outlive_a_rollback(database: str) -> None:
    with connect(parse_target(database)) as connection:
        connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SHOW TimeZone").fetchone() == ("UTC",)


def test_a_connection_is_transactional_unless_told_otherwise(database: str) -> None:
    with connect(parse_target(database)) as connection:
        assert not connection.autocommit
        assert connection.prepare_threshold is None
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with connect(parse_target(database), autocommit=True, application_name="x") as connection:
        assert connection.autocommit
        assert connection.execute("SHOW application_name").fetchone() == ("x",)


def test_what_the_user_decided_is_kept(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "77")
    with connect(parse_target(database + "&keepalives_idle=99")) as connection:
        words = {o.keyword: o.val for o in connection.pgconn.info}
    assert words[b"keepalives_idle"] == b"99"
    assert words[b"connect_timeout"] == b"77"
    assert words[b"keepalives_count"] == b"3"


# --- errors while connecting -------------------------------------------------


@dataclass
class Role:
    name: str
    url: str


@pytest.fixture
def guest(cluster: Cluster, database: str) -> Iterator[Role]:
    """A role that owns nothing, with the canary for a password."""
    name = "guest_" + str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{CANARY}'")
    user, _, place = database.partition("@")
    assert user.startswith("postgresql://mudanza:")
    yield Role(name, f"postgresql://{name}:{CANARY}@{place}")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


def refused_connection(url: str) -> errors.TargetRefused:
    with pytest.raises(errors.TargetRefused) as refused:
        connect(parse_target(url))
    assert isinstance(refused.value.__cause__, psycopg.Error)
    assert refused.value.facts["target"] == parse_target(url).shown
    assert CANARY not in all_that_is_said(refused.value)
    return refused.value


def test_a_wrong_password_is_a_refused_login(guest: Role) -> None:
    error = refused_connection(guest.url.replace(CANARY, CANARY + "x"))
    assert type(error) is errors.TargetLoginRefused
    assert error.facts["detail"] == f'password authentication failed for user "{guest.name}"'


def test_an_unknown_role_is_a_refused_login(guest: Role) -> None:
    error = refused_connection(guest.url.replace(guest.name, "nobody_here"))
    assert type(error) is errors.TargetLoginRefused


def test_no_password_at_all_is_a_refused_login(
    guest: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nonexistent")
    error = refused_connection(guest.url.replace(f":{CANARY}", ""))
    assert type(error) is errors.TargetLoginRefused


def test_a_database_closed_to_the_role_is_a_refused_login(guest: Role, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"REVOKE CONNECT ON DATABASE {admin.info.dbname} FROM public")
    error = refused_connection(guest.url)
    assert type(error) is errors.TargetLoginRefused
    assert "permission denied" in str(error.facts["detail"])


def test_a_missing_database_is_told_apart(guest: Role, database: str) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])
    error = refused_connection(guest.url.replace(f"/{name}?", "/not_there?"))
    assert type(error) is errors.TargetDatabaseMissing
    assert error.facts["detail"] == 'database "not_there" does not exist'


def test_a_server_that_is_down_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = refused_connection(f"postgresql://ana:{CANARY}@127.0.0.1:{port}/shop")
    assert type(error) is errors.TargetUnreachable
    assert error.facts["detail"] == "Connection refused"


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    error = refused_connection(f"postgresql://ana:{CANARY}@no-such-host.invalid/shop")
    assert type(error) is errors.TargetUnreachable


def test_a_server_that_never_answers_is_unreachable() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        error = refused_connection(
            f"postgresql://ana:{CANARY}@127.0.0.1:{port}/shop?connect_timeout=2"
        )
    assert type(error) is errors.TargetUnreachable


def test_a_server_without_tls_that_should_have_it_is_unreachable(guest: Role) -> None:
    error = refused_connection(guest.url.replace("sslmode=disable", "sslmode=require"))
    assert type(error) is errors.TargetUnreachable
    assert "SSL" in str(error.facts["detail"])


@pytest.mark.parametrize("word", ["connect_timeout=soon", "keepalives_idle=often", "sslmode=maybe"])
def test_a_word_with_an_impossible_value_is_refused(word: str) -> None:
    refused_connection(f"postgresql://ana:{CANARY}@127.0.0.1:1/shop?{word}")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("FATAL:  no existe la base de datos «shop»", errors.TargetDatabaseMissing),
        ("FATAL:  la base de datos «shop» no existe", errors.TargetDatabaseMissing),
        (
            "FATAL:  la autentificación password falló para el usuario «ana»",
            errors.TargetLoginRefused,
        ),
        ("FATAL:  the database system is starting up", errors.TargetUnreachable),
        ("FATAL:  the database system is shutting down", errors.TargetUnreachable),
        ("FATAL:  el sistema de base de datos está iniciándose", errors.TargetUnreachable),
        ("FATAL:  sorry, too many clients already", errors.TargetUnreachable),
        (
            "FATAL:  terminating connection because of crash of another server process",
            errors.TargetUnreachable,
        ),
        ("Connection timed out", errors.TargetUnreachable),
    ],
)
def test_the_words_of_a_server_are_understood(
    text: str, kind: type[errors.TargetRefused], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        place = 'connection failed: connection to server at "127.0.0.1", port 1 failed: '
        raise psycopg.OperationalError(place + text + "\nmore")

    monkeypatch.setattr(psycopg, "connect", fails)
    error = refused_connection(f"postgresql://ana:{CANARY}@127.0.0.1/shop")
    assert type(error) is kind
    assert error.facts["detail"] == text.removeprefix("FATAL:  ")


# --- errors in the middle of the work ----------------------------------------


def execute(connection: psycopg.Connection[Any], target: Target, *statements: str) -> None:
    with translated(target):
        for statement in statements:
            connection.execute(statement)


def refused_statement(url: str, *statements: str) -> errors.TargetRefused:
    target = parse_target(url)
    with (
        closing(connect(target, autocommit=True)) as connection,
        pytest.raises(errors.TargetRefused) as refused,
    ):
        execute(connection, target, *statements)
    assert isinstance(refused.value.__cause__, psycopg.Error)
    assert CANARY not in all_that_is_said(refused.value)
    return refused.value


def test_a_missing_privilege(guest: Role) -> None:
    error = refused_statement(guest.url, "CREATE TABLE pg_catalog.t (a int)")
    assert type(error) is errors.TargetPrivilege
    assert "permission denied" in str(error.facts["detail"])


def test_a_read_only_transaction(database: str) -> None:
    error = refused_statement(
        database, "SET default_transaction_read_only = on", "CREATE TABLE t (a int)"
    )
    assert type(error) is errors.TargetReadOnly
    assert set(error.facts) == {"target"}


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("53100", errors.TargetDiskFull),
        ("28P01", errors.TargetLoginRefused),
        ("3D000", errors.TargetDatabaseMissing),
        ("57P03", errors.TargetUnreachable),
        ("57P02", errors.TargetLost),
        ("08006", errors.TargetLost),
        ("08P01", errors.TargetFailed),
        ("40001", errors.TargetConflict),
        ("57014", errors.TargetTimeout),
        ("XX000", errors.TargetFailed),
        ("ZZ999", errors.TargetFailed),
    ],
)
def test_each_sqlstate_becomes_its_error(
    database: str, sqlstate: str, kind: type[errors.TargetRefused]
) -> None:
    error = refused_statement(
        database,
        f"DO $$ BEGIN RAISE EXCEPTION 'what happened' USING ERRCODE = '{sqlstate}',"
        f" DETAIL = 'row {CANARY}', HINT = '{CANARY}'; END $$",
    )
    assert type(error) is kind
    assert error.facts["detail"] == "what happened"
    if kind is errors.TargetFailed:
        assert error.facts["sqlstate"] == sqlstate


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE t (a text PRIMARY KEY)", f"INSERT INTO t VALUES ('{CANARY}'), ('{CANARY}')"),
        (f"SELECT '{CANARY}'::int",),
        (f"SELECT '{CANARY} \"quoted\" {CANARY}'::timestamptz",),
        (f"SELECT '{{\"a\": {CANARY}}}'::jsonb",),
        (f"SELECT '{CANARY}'::uuid",),
        ("CREATE TABLE t (a text CHECK (a = ''))", f"INSERT INTO t VALUES ('{CANARY}')"),
        ("CREATE TABLE t (a varchar(3))", f"INSERT INTO t VALUES ('{CANARY}')"),
        ("CREATE TYPE mood AS ENUM ('calm')", f"SELECT '{CANARY}'::mood"),
    ],
)
def test_no_value_of_a_row_is_repeated(database: str, statements: tuple[str, ...]) -> None:
    assert type(refused_statement(database, *statements)) is errors.TargetFailed


def test_a_session_that_the_server_ends_is_lost(database: str) -> None:
    error = refused_statement(database, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert type(error) is errors.TargetLost


def test_an_idle_transaction_that_the_server_ends_is_lost(database: str) -> None:
    target = parse_target(database)
    with closing(connect(target)) as connection:
        execute(connection, target, "SET idle_in_transaction_session_timeout = 50")
        time.sleep(0.5)
        with pytest.raises(errors.TargetLost):
            execute(connection, target, "SELECT 1")


def test_a_connection_cut_underneath_is_lost(database: str) -> None:
    target = parse_target(database)
    with closing(connect(target)) as connection:
        with socket.socket(fileno=os.dup(connection.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
        with pytest.raises(errors.TargetLost) as lost:
            execute(connection, target, "SELECT 1")
    assert "\n" not in str(lost.value.facts["detail"])


def test_a_closed_connection_is_lost(database: str) -> None:
    target = parse_target(database)
    connection = connect(target)
    connection.close()
    with pytest.raises(errors.TargetLost), translated(target):
        connection.execute("SELECT 1")


def test_a_defect_of_ours_passes_untouched(database: str) -> None:
    target = parse_target(database)
    with connect(target) as connection:
        with pytest.raises(psycopg.ProgrammingError), translated(target):
            connection.execute("SELECT %s", ())
        with pytest.raises(ZeroDivisionError), translated(target):
            _ = 1 // 0


def test_a_target_keeps_its_secret_in_every_representation() -> None:
    target = Target(conninfo=f"postgresql://ana:{CANARY}@db/shop", shown="postgresql://ana@db/shop")
    assert CANARY not in f"{target} {target!r}"
