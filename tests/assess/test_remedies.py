"""What assessment proposes is enough: its plan, with a reason beside each acceptance, makes
the dirtiest of marketplaces move with nothing left open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psycopg
import pytest

from core.sample import Planted, build_sample, plant_all_dirt
from tests.cli.command import COMMAND, REPOSITORY, environment

REASON = "seen and agreed"


def mudanza(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env=environment(home, "en"),
    )


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Planted, ...]]:
    path = tmp_path_factory.mktemp("market") / "market.db"
    build_sample(path, rows=300, dirt=True)
    return path, plant_all_dirt(path)


@pytest.fixture(scope="module")
def answer(market: tuple[Path, tuple[Planted, ...]]) -> dict:  # type: ignore[type-arg]
    path, _ = market
    plan = path.with_suffix(".toml")
    done = mudanza(path.parent, "assess", path, "--json", "--plan-out", plan)
    assert done.returncode == 4, done.stderr  # a table with too many columns is a blocker
    document: dict = json.loads(done.stdout)  # type: ignore[type-arg]
    return document


def test_there_are_many_kinds_of_dirt(market: tuple[Path, tuple[Planted, ...]]) -> None:
    assert len({planted.kind for planted in market[1]}) >= 25


def test_every_planted_kind_is_found_and_its_rows_are_named(
    market: tuple[Path, tuple[Planted, ...]],
    answer: dict,  # type: ignore[type-arg]
) -> None:
    found = {(f["id"], f["object"]): f for f in answer["findings"]}
    for planted in market[1]:
        one = found[planted.kind, planted.object]
        if planted.keys:
            assert tuple(one["sample_keys"]) == planted.keys, planted
            assert one["rows"] == len(planted.keys), planted
        assert one["remedy"]


def test_a_plan_whose_reasons_are_missing_is_refused(
    market: tuple[Path, tuple[Planted, ...]],
    answer: dict,  # type: ignore[type-arg]
) -> None:
    path, _ = market
    done = mudanza(path.parent, "plan", path, "--plan", path.with_suffix(".toml"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["id"] == "acceptance_refused"


def test_the_remedies_make_the_migration_succeed(
    market: tuple[Path, tuple[Planted, ...]],
    answer: dict,  # type: ignore[type-arg]
    database: str,
) -> None:
    path, _ = market
    plan = path.with_name("agreed.toml")
    written = path.with_suffix(".toml").read_text(encoding="utf-8")
    plan.write_text(written.replace('reason = ""', f'reason = "{REASON}"'), encoding="utf-8")

    moved = mudanza(path.parent, "migrate", path, "--target", database, "--plan", plan, "--json")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    report = json.loads(moved.stdout)
    assert sum(table["rows_quarantined"] for table in report["tables"]) > 0
    lost = [o for o in report["objects"]["not_carried"] if o["counts"]]
    assert lost == []
    assert any(REASON in o["says"] for o in report["objects"]["not_carried"])
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT ordered_at::text, imported_at::text, moon_at::text, pieces::text, paid::text"
            " FROM legacy_orders WHERE id = 36"
        ).fetchone()
    assert row == (
        "2023-11-14 22:13:56",
        "2023-11-14 22:13:20.159",
        "2023-03-06 00:00:00",
        "36",
        "0",
    )

    again = mudanza(path.parent, "assess", path, "--plan", plan, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["grade"] == "A-1"

    verified = mudanza(path.parent, "verify", path, "--target", database, "--json")
    assert verified.returncode == 0, verified.stdout
