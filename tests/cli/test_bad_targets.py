"""Every kind of bad target, wrong plan and wrong usage, given to the real command."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from core.server.embedded import Cluster
from tests.cli.command import CANARY, Command
from tests.cli.conftest import make_clean
from tests.cli.refusal import check_refused

Spoiled = Callable[[str], str]


def with_wrong_password(address: str) -> str:
    return address.replace(str(urlsplit(address).password), CANARY)


def at_a_closed_port(address: str) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    return with_wrong_password(address).replace(f":{urlsplit(address).port}/", f":{free}/")


def without_its_database(address: str) -> str:
    return address.replace(urlsplit(address).path, "/nosuch")


def misspelled(_address: str) -> str:
    return f"postgresql://me:{CANARY}@half@localhost/shop"


def not_postgres(_address: str) -> str:
    return f"mysql://me:{CANARY}@localhost/shop"


def empty(_address: str) -> str:
    return ""


BAD: list[tuple[Spoiled, str]] = [
    (with_wrong_password, "target_login_refused"),
    (at_a_closed_port, "target_unreachable"),
    (without_its_database, "target_database_missing"),
    (misspelled, "target_address_invalid"),
    (not_postgres, "target_address_invalid"),
    (empty, "target_address_invalid"),
]


@pytest.mark.parametrize(("spoil", "error"), BAD, ids=[spoil.__name__ for spoil, _ in BAD])
def test_a_bad_address_is_refused(
    spoil: Spoiled, error: str, command: Command, clean: Path, database: str
) -> None:
    bad = spoil(database)
    check_refused(command, error, "migrate", clean, "--target", bad, target=database)


def test_a_target_that_is_not_empty_is_refused(
    command: Command, clean: Path, database: str
) -> None:
    execute(database, "CREATE TABLE ours (id int)")
    check_refused(
        command,
        "target_not_empty",
        "migrate",
        clean,
        "--target",
        database,
        target=database,
        made=("ours",),
    )


def test_a_read_only_target_is_refused(command: Command, clean: Path, database: str) -> None:
    name = urlsplit(database).path[1:]
    execute(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    check_refused(
        command, "target_read_only", "migrate", clean, "--target", database, target=database
    )


def test_a_target_without_a_ledger_cannot_be_asked(
    command: Command, clean: Path, database: str
) -> None:
    for order in (("runs",), ("quarantine", "list"), ("verify", clean)):
        check_refused(command, "ledger_missing", *order, "--target", database, target=database)


def execute(address: str, statement: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


# --- no room ------------------------------------------------------------------------


@pytest.fixture
def small_disk(
    database: str, cluster: Cluster, reachable_folder: Path
) -> Iterator[Callable[[], None]]:
    """Make the target's disk full; the answer makes it large again.

    Root mounts a real one of four megabytes. Nobody else may: there the server is
    made to say what it would say.
    """
    name = urlsplit(database).path[1:]
    folder = reachable_folder / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0777", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        execute(database, FULL)
        yield lambda: execute(database, "DROP EVENT TRIGGER no_room")
        return
    tablespace = f"small_{secrets.token_hex(4)}"
    try:
        place = folder / "space"
        place.mkdir()
        shutil.chown(place, folder_owner(cluster))
        place.chmod(0o700)
        execute(database, f"CREATE TABLESPACE {tablespace} LOCATION '{place}'")
        execute(database, f"ALTER DATABASE {name} SET default_tablespace = {tablespace}")
        yield lambda: enlarge(folder)
        cluster.drop_database(name)
        execute(cluster.url("postgres"), f"DROP TABLESPACE {tablespace}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


FULL = """
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('public.book') IS NOT NULL THEN
    IF EXISTS (SELECT FROM public.book) THEN
      RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END IF;
  END IF;
END $$;
CREATE EVENT TRIGGER no_room ON ddl_command_start WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX')
EXECUTE FUNCTION refuse();
"""


def folder_owner(cluster: Cluster) -> int:
    return (cluster.folder / "data").stat().st_uid


def enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


def test_a_full_disk_stops_the_run_and_more_room_lets_it_end(
    command: Command,
    tmp_path: Path,
    database: str,
    small_disk: Callable[[], None],
) -> None:
    path = make_clean(tmp_path / "large.db", rows=60_000)
    order = ("migrate", path, "--target", database, "--json", "--chunk-rows", 5000)
    stopped = command.run(*order)
    assert stopped.code == 1
    assert stopped.json["error"]["id"] == "target_disk_full"
    assert "Traceback" not in stopped.said
    assert "secret title" not in stopped.said
    small_disk()
    done = command.run(*order)
    assert done.code == 0, done.said
    assert done.json["resumed"] is True
    assert [t["rows_target"] for t in done.json["tables"]] == [5, 60_000]


def spoken(what: str) -> tuple[str, ...]:
    """One of many refusals that share their sentence is enough to hear it in Spanish."""
    return ("en", "es") if what in ("not TOML", "a target twice", "no source") else ("en",)


# --- wrong plans ----------------------------------------------------------------------

HEAD = "mudanza_plan = 1\n"
AUTHOR = HEAD + '[[table]]\nname = "author"\n'
PLANS = {
    "not TOML": ("this is = = no plan", "plan_unreadable"),
    "no version": ('[[table]]\nname = "author"\n', "plan_unreadable"),
    "bytes": (b"\xff\xfe\x00", "plan_unreadable"),
    "unknown rule": (
        AUTHOR + 'columns = [{ name = "name", type = "text", rule = "magic" }]\n',
        "plan_unreadable",
    ),
    "unknown type": (
        AUTHOR + 'columns = [{ name = "name", type = "hstore", rule = "text" }]\n',
        "plan_unreadable",
    ),
    "unknown table": (HEAD + '[[table]]\nname = "nosuch"\n', "plan_does_not_fit"),
    "unknown column": (AUTHOR + 'columns = [{ name = "nosuch" }]\n', "plan_does_not_fit"),
    "a target twice": (
        AUTHOR + 'target = "x"\n[[table]]\nname = "book"\ntarget = "x"\n',
        "plan_does_not_fit",
    ),
    "a column's target twice": (
        AUTHOR + 'columns = [{ name = "id", target = "x" }, { name = "name", target = "x" }]\n',
        "plan_does_not_fit",
    ),
}


@pytest.mark.parametrize("what", PLANS)
def test_a_wrong_plan_is_refused(
    what: str, command: Command, clean: Path, tmp_path: Path, untouched: str
) -> None:
    text, error = PLANS[what]
    path = tmp_path / "plan.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    order = ("migrate", clean, "--target", untouched, "--plan", path)
    check_refused(command, error, *order, target=untouched, languages=spoken(what))


def test_a_plan_that_cannot_be_read_or_written_is_refused(
    command: Command, clean: Path, tmp_path: Path, untouched: str
) -> None:
    nowhere = tmp_path / "nowhere" / "plan.toml"
    check_refused(command, "plan_unwritable", "plan", clean, "--out", nowhere, target=untouched)
    check_refused(
        command,
        "plan_unreadable",
        "migrate",
        clean,
        "--target",
        untouched,
        "--plan",
        nowhere,
        target=untouched,
    )


# --- wrong usage ------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["migrate", "plan"])
@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_a_table_that_is_not_there_is_wrong_usage(
    order: str, option: str, command: Command, clean: Path, untouched: str
) -> None:
    target = ("--target", untouched) if order == "migrate" else ()
    arguments = (order, clean, option, "author", option, "nosuch", *target)
    check_refused(command, "wrong_usage", *arguments, target=untouched, code=2, languages=("en",))


@pytest.mark.parametrize("order", [("runs",), ("quarantine", "list")])
def test_neither_source_nor_target_is_wrong_usage(
    order: tuple[str, ...], command: Command, untouched: str
) -> None:
    check_refused(command, "wrong_usage", *order, target=untouched, code=2)


WRONG = {
    "an option that is not there": ("migrate", "x.db", "--nosuch", "1"),
    "a command that is not there": ("move", "x.db"),
    "no source": ("migrate",),
    "no number": ("migrate", "x.db", "--chunk-rows", "many"),
    "a number out of range": ("migrate", "x.db", "--chunk-rows", "0"),
    "no run": ("verify", "x.db", "--run", "first"),
    "no level": ("verify", "x.db", "--level", "some"),
    "an address too many": ("migrate", "x.db", f"postgresql://me:{CANARY}@localhost/shop"),
    "an address for a source": ("verify", f"postgresql://me:{CANARY}@localhost/shop"),
    "an address for a number": ("migrate", "x", "--chunk-rows", f"postgresql://me:{CANARY}@h/d"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_ends_with_two(what: str, command: Command, untouched: str) -> None:
    check_refused(
        *(command, "wrong_usage", *WRONG[what]),
        target=untouched,
        code=2,
        languages=spoken(what),
    )
