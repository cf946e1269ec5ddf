"""A PostgreSQL server on the network of :mod:`tests.shared_run.hosts`.

Hosts reach it by TCP, with a password. The test itself is on no host: it uses the
server's Unix socket, which it reaches even when every cable is out.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from core.server.account import Account, server_account
from core.server.binaries import Binaries
from core.server.programs import run_program
from tests.shared_run.hosts import SERVER, Host

PORT = 5432
_ROLE = "mudanza"
_SETTINGS = (
    f"listen_addresses={SERVER}",
    "unix_socket_permissions=0700",
    "search_path=public",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)


@dataclass(frozen=True)
class Server:
    """A running server; ``sockets`` is the folder of its Unix socket."""

    sockets: Path
    password: str

    def address(self, database: str) -> str:
        """Where hosts find a database."""
        return f"postgresql://{_ROLE}:{self.password}@{SERVER}:{PORT}/{database}?sslmode=disable"

    def side_door(self, database: str) -> str:
        """Where the test finds it."""
        return f"host={self.sockets} port={PORT} user={_ROLE} dbname={database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a fresh database, dropped afterwards."""
        name = f"t_{secrets.token_hex(6)}"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        self._administer(drop)

    def _administer(self, statement: sql.Composable) -> None:
        with psycopg.connect(self.side_door("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def serving(host: Host, binaries: Binaries, folder: Path) -> Iterator[Server]:
    """A server at ``host``, its files in ``folder``, until the block ends."""
    account = server_account()
    data, sockets = folder / "data", folder / "sockets"
    for made in (data, sockets):
        made.mkdir(mode=0o700)
        if account:
            os.chown(made, account.uid, account.gid)
    how = ("-U", _ROLE, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
    done, said = run_program(binaries.tool("initdb"), account, "-D", data, *how)
    assert done, said
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.99.0.0/24 scram-sha-256\n")
    server = Server(sockets, secrets.token_urlsafe(24))
    _launch(host, binaries, account, data, sockets)
    try:
        word = sql.SQL("ALTER ROLE {} PASSWORD {}")
        server._administer(word.format(sql.Identifier(_ROLE), sql.Literal(server.password)))
        yield server
    finally:
        run_program(binaries.tool("pg_ctl"), account, "stop", "-D", data, "-m", "immediate")


def _launch(
    host: Host, binaries: Binaries, account: Account | None, data: Path, sockets: Path
) -> None:
    log = data / "server.log"
    settings = " ".join(f"-c {s}" for s in (*_SETTINGS, f"unix_socket_directories={sockets}"))
    command = [binaries.tool("pg_ctl"), "start", "-D", data, "-l", log, "-w", "-o", settings]
    started = subprocess.run(
        [*host.enter, *_as(account), *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        check=False,
    )
    assert started.returncode == 0, log.read_text() if log.exists() else "it said nothing"


def _as(account: Account | None) -> tuple[str, ...]:
    """PostgreSQL refuses to run as root, and as what looks like root in a namespace."""
    if account is None:
        return ("unshare", "--user", f"--map-user={os.geteuid()}")
    return ("setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups")
