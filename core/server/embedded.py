"""An embedded PostgreSQL server: made, started, shared and stopped by us.

Under the cluster's folder lie::

    data/       the database cluster: mode 0700, of the account that runs it
    password    of the superuser ``mudanza``: mode 0600, of the invoking user
    port        the last port; asked for again at the next start
    server.log  what the server said
    lock        held while one process starts or stops the server

PostgreSQL refuses to run as root; for root the server runs as ``postgres`` or
``nobody``, and what that account must reach may lie elsewhere: see
:mod:`core.server.placement`. Root writes nothing inside ``data``, where that
account could have laid a link for it.

The server listens on 127.0.0.1 alone, with SCRAM; it outlives the process that
started it, so that several commands at once share one server.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from core.errors import ServerStartFailed, ServerStopFailed, TargetFailed
from core.server.account import Account, server_account
from core.server.binaries import Binaries, find_binaries
from core.server.connection import connect, parse_target, translated
from core.server.placement import make_folder, reachable_binaries, reachable_home, require_reach
from core.server.private_files import lent, make_log, text_after, write_private
from core.server.programs import run_program, state_of_postgres, telling_line
from core.settings import Settings

ROLE = "mudanza"
START_SECONDS = 120
PORT_TRIES = 5

_DATABASE_EXISTS = ("42P04", "23505")
"""SQLSTATEs: it exists; another session is creating it at this moment."""

_VOLATILE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def embedded_cluster(settings: Settings) -> Cluster:
    """The user's own cluster, not started: one folder per major version.

    Raises ServerBinariesMissing, ServerAccountMissing, ServerFolderUnreachable.
    """
    account = server_account()
    binaries = reachable_binaries(find_binaries(settings.pg_bindir), account)
    home = reachable_home(settings.home, is_default=settings.home_is_default, account=account)
    return Cluster(home / f"postgres-{binaries.major}", binaries)


@dataclass(frozen=True)
class Cluster:
    """One embedded server under ``folder``.

    ``durable=False`` is for tests: faster, and a crash of the machine loses data.
    """

    folder: Path
    binaries: Binaries
    durable: bool = True

    def start(self) -> None:
        """Make the cluster if there is none, and start it unless it runs already.

        Raises ServerStartFailed, ServerAccountMissing, ServerFolderUnreachable.
        """
        account = server_account()
        require_reach(self.binaries.tool("initdb"), account)
        make_folder(self.folder, account)
        require_reach(self.folder, account)
        with self._lock():
            if not self._data.exists():
                self._create(account)
            if not self.is_running() and not self._comes_up():
                self._launch(account)

    def stop(self) -> None:
        """Stop the server if it runs; open sessions are ended, their transactions rolled back."""
        if not self._data.exists():
            return
        with self._lock():
            if self._postmaster() is None:
                return
            stopped, said = self._run(
                server_account(), "pg_ctl", "stop", "-D", self._data, "-m", "fast", "-w"
            )
            # A server that was killed cannot be stopped, and need not be.
            if not stopped and state_of_postgres(self._postmaster()) not in (None, "Z"):
                raise ServerStopFailed(folder=str(self.folder), detail=telling_line(said))

    def is_running(self) -> bool:
        """True when this very folder's server answers and takes our password."""
        if not self._port_file.exists():
            return False
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        except psycopg.Error:
            return False
        # A copied folder knows the original's port and password.
        return row == (str(self._data),)

    def url(self, database: str) -> str:
        """The address of a database, password included. The cluster must have been started."""
        password = self._password_file.read_text(encoding="ascii")
        port = self._port_file.read_text(encoding="ascii")
        name = quote(database, safe="")
        # PGSSLMODE, set for another server, would ask for what this one does not speak.
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{name}?sslmode=disable"

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists."""
        try:
            self._administer(sql.SQL("CREATE DATABASE {}").format(_identifier(name)))
        except TargetFailed as error:
            if error.facts["sqlstate"] not in _DATABASE_EXISTS:
                raise

    def clone_database(self, name: str, template: str) -> None:
        """Create a database as a copy of ``template``, which nobody may be connected to."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._administer(statement.format(_identifier(name), _identifier(template)))

    def drop_database(self, name: str) -> None:
        """Drop the database if it exists, ending the sessions in it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._administer(statement.format(_identifier(name)))

    @property
    def _data(self) -> Path:
        return self.folder.resolve() / "data"

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @property
    def _port_file(self) -> Path:
        return self.folder / "port"

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        # Python opens files close-on-exec: the server does not inherit the lock.
        handle = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _create(self, account: Account | None) -> None:
        if not self._password_file.exists():
            write_private(self._password_file, secrets.token_urlsafe(24))
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)  # of a process killed in the middle
        fresh.mkdir(mode=0o700)
        if account:
            os.chown(fresh, account.uid, account.gid)
        self._initialise(fresh, account)
        fresh.rename(self._data)

    def _initialise(self, folder: Path, account: Account | None) -> None:
        with lent(self._password_file, account) as password_file:
            how = ["-U", ROLE, "-A", "scram-sha-256", f"--pwfile={password_file}"]
            how += ["-E", "UTF8", "--data-checksums", *(() if self.durable else ("--no-sync",))]
            for locale in ("C.UTF-8", "C"):  # the second where the system lacks the first
                done, said = self._run(account, "initdb", "-D", folder, *how, f"--locale={locale}")
                if done:
                    return
                if "locale" not in said:
                    break
        raise ServerStartFailed(folder=str(self.folder), detail=telling_line(said))

    def _launch(self, account: Account | None) -> None:
        make_log(self._log, account)
        for port in self._ports():
            mark = self._log.stat().st_size
            write_private(self._port_file, str(port))
            started, said = self._run(
                account, "pg_ctl", "start", "-D", self._data, "-l", self._log.resolve(),
                "-w", "-t", START_SECONDS, "-o", self._options(port),
            )  # fmt: skip
            if started:
                return
            logged = text_after(self._log, mark)
            if "could not create any TCP/IP sockets" not in logged:
                break
        raise ServerStartFailed(folder=str(self.folder), detail=telling_line(logged or said))

    def _ports(self) -> Iterator[int]:
        if self._port_file.exists():
            yield int(self._port_file.read_text(encoding="ascii"))
        for _ in range(PORT_TRIES):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            yield port

    def _options(self, port: int) -> str:
        # No Unix socket: its path may not exceed 107 bytes, a folder's may.
        # The role is called as the ledger's schema is: "$user" would show it first.
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=''"]
        settings.append("search_path=public")
        settings += () if self.durable else _VOLATILE
        return " ".join([f"-p {port}", *(f"-c {setting}" for setting in settings)])

    def _comes_up(self) -> bool:
        """Wait for a server that is there but silent: does it answer in the end?

        It recovers, and whoever started it was killed; or it was killed itself
        and stays in the process table until init takes note, some seconds on
        some machines, so long as which PostgreSQL would refuse to start.
        """
        deadline = time.monotonic() + START_SECONDS
        while state_of_postgres(self._postmaster()) and time.monotonic() < deadline:
            if self.is_running():
                return True
            time.sleep(0.05)
        return False

    def _postmaster(self) -> int | None:
        """The process number that the server, running or killed, left in its data."""
        try:
            return int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, IndexError):
            return None

    def _run(self, account: Account | None, tool: str, *arguments: object) -> tuple[bool, str]:
        return run_program(self.binaries.tool(tool), account, *arguments)

    def _administer(self, statement: sql.Composed) -> None:
        target = parse_target(self.url("postgres"))
        with connect(target, autocommit=True) as connection, translated(target):
            connection.execute(statement)


def _identifier(name: str) -> sql.Identifier:
    # PostgreSQL cuts longer names, with no more than a notice.
    if len(name.encode()) > 63:
        raise ValueError(f"a database name of more than 63 bytes: {name}")
    return sql.Identifier(name)
