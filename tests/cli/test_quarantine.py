"""``mudanza quarantine``: what each command says, what it writes, and how it ends."""

from __future__ import annotations

import csv
import json
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from core.server.embedded import Cluster
from core.source.rows import CODECS
from tests.cli.command import Answer, Command, squeezed

SQL = """
PRAGMA encoding = '{encoding}';
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, age INTEGER, born DATETIME);
"""
ROWS: list[tuple[Any, ...]] = [
    *((n, f"name {n}", n, "2001-02-03 04:05:06") for n in range(1, 10)),
    (10, '=HYPERLINK("http://x")', "=1+1", "2001-02-03 04:05:06"),
    (11, "secret name", 11, 981173106),
    (12, "a\x00\r\n'\"ñ", 2**62, "-not a day"),
    (13, b"\x00\xff", 0.1, None),
]
BAD = "CAST(x'{raw}' AS TEXT)"


@pytest.fixture(scope="module")
def first(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Place]]:
    """The source carried once, and the name of the database it is in."""
    name, home = f"q_{secrets.token_hex(6)}", tmp_path_factory.mktemp("home")
    cluster.ensure_database(name)
    yield name, carried(Command(home=home), cluster.url(name), home, "UTF-8")
    cluster.drop_database(name)


@pytest.fixture
def place(cluster: Cluster, first: tuple[str, Place], tmp_path: Path) -> Iterator[Place]:
    """A copy of it for each test."""
    name, carried_once = first
    copy = f"q_{secrets.token_hex(6)}"
    cluster.clone_database(copy, template=name)
    yield Place(carried_once.command, carried_once.source, cluster.url(copy), tmp_path)
    cluster.drop_database(copy)


class Place:
    """A migrated source, and the commands about its quarantine."""

    def __init__(self, command: Command, source: Path, database: str, folder: Path) -> None:
        self.command, self.source, self.database = command, source, database
        self.folder = folder

    def run(self, *words: object, language: str = "en") -> Answer:
        verb, *rest = words
        return self.command.run(
            "quarantine", verb, "--target", self.database, *rest, language=language
        )

    def json(self, *words: object) -> Any:
        return self.run(*words, "--json").json

    def plan(self, rule: str) -> Path:
        path = self.folder / "mended.toml"
        path.write_text(
            'mudanza_plan = 1\n[[table]]\nname = "person"\ncolumns = [\n'
            f'  {{ name = "born", type = "timestamp", rule = "{rule}" }},\n]\n'
        )
        return path


def carried(command: Command, database: str, folder: Path, encoding: str) -> Place:
    source = folder / "s.db"
    connection = apsw.Connection(str(source))
    connection.execute(SQL.format(encoding=encoding))
    with connection:
        connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?)", ROWS)
        raw = "80ff" if encoding == "UTF-8" else "00d8"
        connection.execute(f"INSERT INTO person VALUES (14, {BAD.format(raw=raw)}, 1, NULL)")
    connection.close()
    ended = command.run("migrate", source, "--target", database)
    assert ended.code == 3, ended.said
    return Place(command, source, database, folder)


# --- list, show


def test_the_list_is_narrowed_by_table_and_by_reason(place: Place) -> None:
    found = place.json("list")
    assert found["rows"] == 5
    assert [q["key"] for q in found["quarantine"]] == ["10", "11", "12", "13", "14"]
    narrowed = place.json("list", "--table", "person", "--reason", "not_a_moment")
    # A row has as many reasons as values to blame.
    assert [q["key"] for q in narrowed["quarantine"]] == ["11", "12"]
    assert place.json("list", "--table", "nobody")["rows"] == 0
    assert place.json("list", "--reason", "not_a_moment", "--limit", 1)["rows"] == 2


def test_one_row_is_shown_whole_and_masked(place: Place) -> None:
    said = place.run("show", "--row", "11")
    assert said.code == 0, said.err
    assert "secret name" not in said.said
    assert all(word in said.out for word in ("timestamp", "iso", "bigint", "•••(11)"))
    assert "secretname" in squeezed(place.run("show", "--row", "11", "--reveal").out)

    document = place.json("show", "--row", "11")
    assert "secret" not in json.dumps(document)
    assert [v["raw"] for v in document["row"]] == [None] * 4
    assert [(v["column"], v["storage_class"], v["bytes"]) for v in document["row"]] == [
        ("id", "integer", 2),
        ("name", "text", 11),
        ("age", "integer", 2),
        ("born", "integer", 9),
    ]
    revealed = place.json("show", "--row", "11", "--reveal")
    assert bytes.fromhex(revealed["row"][1]["raw"]) == b"secret name"


def test_what_could_be_done_is_what_does_help(place: Place) -> None:
    remedies = place.json("show", "--row", "11")["remedies"]
    rules = [r["rule"] for r in remedies if r["remedy"] == "rule"]
    assert rules[0] == "iso|epoch:s"
    assert "iso|null" in rules
    assert {"edit", "accept"} <= {r["remedy"] for r in remedies}
    assert all(r["says"] for r in remedies)
    (rule, *_) = rules
    assert place.json("replay", "--row", "11", "--plan", place.plan(rule))["quarantined"] == 4


def test_what_no_rule_can_help_is_only_to_be_edited_or_made_null(place: Place) -> None:
    remedies = place.json("show", "--row", "10")["remedies"]
    assert [(r["remedy"], r.get("type"), r.get("rule")) for r in remedies] == [
        ("rule", "bigint", "integer|null"),
        ("type", "text", "spelled"),
        ("edit", None, None),
        ("accept", None, None),
    ]


def test_in_spanish_too(place: Place) -> None:
    said = place.run("show", "--row", "11", language="es")
    assert "En el plan" in said.out
    assert "Llegaron 0 filas" in squeezed_words(place.run("replay", language="es").out)


def squeezed_words(text: str) -> str:
    return " ".join(text.split())


# --- export


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
def test_jsonl_gives_back_every_byte(
    encoding: str, command: Command, database: str, tmp_path: Path
) -> None:
    place = carried(command, database, tmp_path, encoding)
    file = tmp_path / "out.jsonl"
    said = place.run("export", "--out", file)
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 5
    assert {line["encoding"] for line in lines} == {encoding}
    back = apsw.Connection("")
    back.execute(SQL.format(encoding=encoding))
    for line in lines:
        terms, values = zip(*(term(v, line["encoding"]) for v in line["row"]), strict=True)
        back.execute(f"INSERT INTO person VALUES ({', '.join(terms)})", values)
    classes = "SELECT id, " + ", ".join(
        f"typeof({c}), CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) ELSE {c} END"
        for c in ("name", "age", "born")
    )
    source = apsw.Connection(str(place.source), flags=apsw.SQLITE_OPEN_READONLY)
    wanted = source.execute(f"{classes} FROM person WHERE id >= 10 ORDER BY 1").fetchall()
    assert back.execute(f"{classes} FROM person ORDER BY 1").fetchall() == wanted


def term(value: dict[str, str], encoding: str) -> tuple[str, object]:
    """What the documentation says of a value: its class, and its bytes."""
    raw = bytes.fromhex(value["hex"])
    match value["storage_class"]:
        case "null":
            return "?", None
        case "integer":
            return "?", int(raw)
        case "real":
            return "?", float(raw)
        case "blob":
            return "?", raw
    try:
        return "?", raw.decode(CODECS[encoding])
    except UnicodeDecodeError:
        return "CAST(? AS TEXT)", raw


def test_csv_holds_nothing_that_a_spreadsheet_executes(place: Place) -> None:
    file = place.folder / "out.csv"
    assert place.run("export", "--format", "csv", "--out", file).code == 0
    with file.open(encoding="utf-8", newline="") as text:
        lines = list(csv.DictReader(text))
    assert len(lines) == 7
    for cell in (cell for line in lines for cell in line.values()):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert cell.isprintable()
    formula = next(line for line in lines if line["key"] == "10")
    assert formula["value"] == "'=1+1"
    assert formula["value"].removeprefix("'") == "=1+1"
    assert bytes.fromhex(formula["bytes"][2:-1]) == b"=1+1"
    moment = next(line for line in lines if (line["key"], line["column"]) == ("12", "born"))
    assert moment["value"] == "'-not a day"


def test_an_export_is_the_owners_alone_and_replaces_the_file_whole(place: Place) -> None:
    file = place.folder / "out.jsonl"
    file.write_text("earlier")
    file.chmod(0o666)
    said = place.json("export", "--out", file, "--reason", "not_an_integer")
    assert (said["rows"], said["format"]) == (2, "jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in place.folder.iterdir() if p.name.startswith(".")] == []


def test_an_export_to_nowhere_is_refused_and_leaves_nothing(place: Place) -> None:
    said = place.run("export", "--out", place.folder / "none" / "out.csv", "--json")
    assert said.code == 1
    assert said.json["error"]["id"] == "export_unwritable"


def test_the_help_says_that_an_export_is_not_masked(command: Command) -> None:
    said = command.run("quarantine", "export", "--help")
    assert "not masked" in squeezed_words(said.out)


# --- replay, edit


def test_replay_ends_with_the_code_that_migrate_then_repeats(place: Place) -> None:
    said = place.run("replay", "--plan", place.plan("iso|epoch:s|null"))
    assert said.code == 3
    again = place.command.run("migrate", place.source, "--target", place.database, "--json")
    assert (again.code, again.json["repeated"]) == (3, True)
    proof = place.command.run("verify", place.source, "--target", place.database, "--json")
    assert proof.code == 0, proof.out


def test_values_that_arrived_as_others_are_listed_masked(place: Place) -> None:
    assert place.json("list", "--altered")["altered"] == []
    place.run("replay", "--plan", place.plan("iso|null"), "--row", "11")
    (cell,) = place.json("list", "--altered")["altered"]
    assert (cell["table"], cell["key"], cell["column"]) == ("person", "11", "born")
    assert (cell["reason"], cell["bytes"], cell["raw"]) == ("not_a_moment", 9, None)
    (cell,) = place.json("list", "--altered", "--reveal")["altered"]
    assert bytes.fromhex(cell["raw"]) == b"981173106"
    shown = place.run("list", "--altered")
    assert "iso|null" in shown.out
    assert "981173106" not in shown.out


def test_a_rehearsed_replay_leaves_all_as_it_was(place: Place) -> None:
    before = place.json("list")
    document = place.json("replay", "--plan", place.plan("iso|epoch:s"), "--dry-run")
    assert (document["dry_run"], document["quarantined"]) == (True, 4)
    assert document["tables"] == [
        {
            "name": "person",
            "target": "person",
            "arrived": 1,
            "edited": 0,
            "stayed": {
                "not_an_integer": 1,
                "nul_in_text": 1,
                "not_text": 1,
                "invalid_text": 1,
            },
        }
    ]
    assert place.json("list") == before


def test_an_edit_at_once_and_what_verify_says_of_it(place: Place) -> None:
    said = place.run(
        *(
            "edit",
            "--row",
            "10",
            "--column",
            "age",
            "--value",
            "2",
            "--reason",
            "a formula",
            "--replay",
        )
    )
    assert said.code == 3, said.err
    proof = place.command.run("verify", place.source, "--target", place.database, "--json")
    assert proof.code == 0
    (table,) = proof.json["tables"]
    assert (table["edited"], table["differences"], table["quarantined"]) == (1, 0, 4)
    (edit,) = table["edits"]
    assert (edit["key"], edit["column"], edit["reason"]) == ("10", "age", "a formula")
    assert edit["source"] == "•••(4)"
    shown = place.command.run("verify", place.source, "--target", place.database)
    assert "a formula" in squeezed_words(shown.out)


def test_a_bulk_edit_counts_what_it_put_in_place(place: Place) -> None:
    said = place.json(
        *("edit", "--all", "--reason-id", "not_a_moment", "--table", "person"),
        *("--column", "born", "--null", "--reason", "nobody knows"),
    )
    assert len(said["edited"]) == 2
    shown = place.json("show", "--row", "12")
    (edit,) = shown["edits"]
    assert (edit["before"]["storage_class"], edit["after"]["storage_class"]) == ("text", "null")
    assert place.json("replay")["tables"][0]["edited"] == 1


def test_a_row_is_found_by_its_id(place: Place) -> None:
    found = place.json("list")["quarantine"][0]
    assert place.json("show", "--row", found["id"])["key"] == found["key"]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("show",), 2, "wrong_usage"),
        (("show", "--row", "1"), 1, "quarantine_row_unknown"),
        (("edit", "--row", "10", "--column", "age", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--null", "--value", "1", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--value", "1", "--reason", " "), 2, "wrong_usage"),
        (("edit", "--all", "--column", "age", "--null", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--all", "--column", "age", "--null", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--hex", "zz", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--value", "1", "--class", "int", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--value", "y", "--reason", "x"), 2, "wrong_usage"),
        (("edit", "--row", "10", "--column", "age", "--value", "y", "--class", "text", "--reason", "x"), 1, "edit_does_not_fit"),
        (("edit", "--row", "10", "--column", "shoe", "--value", "1", "--reason", "x"), 1, "quarantine_column_unknown"),
        (("replay", "--plan", "/nowhere.toml"), 1, "plan_unreadable"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], code: int, error: str, place: Place
) -> None:
    said = place.run(*words, "--json")
    assert (said.code, said.json["error"]["id"]) == (code, error)
    assert len(place.json("list")["quarantine"]) == 5
