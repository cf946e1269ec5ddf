"""A PostgreSQL to throw away: ours, in a folder of its own, never the system's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from core.plan import Plan
from core.plan.ddl import create_schema, create_table
from core.server.connection import Connection, connect, parse_target
from core.server.embedded import Cluster, embedded_cluster
from core.settings import Settings, read_settings

DATABASE = "bench"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The running server, and the one database that is made anew for each run."""

    cluster: Cluster

    @property
    def url(self) -> str:
        """The database's address without the password: what may be printed."""
        whole = self.cluster.url(DATABASE)
        return whole.replace(f":{self.password}@", "@")

    @property
    def password(self) -> str:
        """Goes to children by the environment; a command line can be read by others."""
        return urlsplit(self.cluster.url(DATABASE)).password or ""

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs to be let in."""
        return {"PGPASSWORD": self.password}

    def fresh(self, plan: Plan | None = None) -> None:
        """Drop the database and make it anew, with the bare tables of ``plan`` if there is
        one; then a checkpoint, so that nobody pays for what another wrote."""
        self.cluster.drop_database(DATABASE)
        self.cluster.ensure_database(DATABASE)
        with self.connected() as connection:
            if plan is not None:
                make_tables(connection, plan)
            connection.execute("CHECKPOINT")

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection to the database, each statement its own transaction."""
        target = parse_target(self.cluster.url(DATABASE))
        with connect(target, autocommit=True, application_name="bench") as connection:
            yield connection

    def version(self) -> str:
        """What the server says it is."""
        with psycopg.connect(self.cluster.url("postgres")) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]) if row else "?"


@contextmanager
def thrown_away(home: Path) -> Iterator[Server]:
    """A server under ``home``, durable as a real one; folder and all gone at the end."""
    cluster = embedded_cluster(Settings(home=home, pg_bindir=read_settings().pg_bindir))
    _remove(cluster, home)  # one that a killed run left behind
    cluster.start()
    try:
        yield Server(cluster=cluster)
    finally:
        _remove(cluster, home)


def _remove(cluster: Cluster, home: Path) -> None:
    cluster.stop()
    shutil.rmtree(home, ignore_errors=True)


def make_tables(connection: Connection, plan: Plan) -> None:
    """The bare tables of a plan: columns alone, as a run of Mudanza makes them."""
    connection.execute(create_schema(plan).encode())
    for table in plan.tables:
        connection.execute(create_table(plan.schema, table).encode())
