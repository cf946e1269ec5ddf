"""How Alembic reaches the shop's database: one at a time, and never for long in the way.

On PostgreSQL an advisory lock keeps a second upgrade waiting until the first is done, and
each statement has a limit: a revision that cannot get its lock gives up instead of holding
up the shop. On SQLite the whole upgrade is one transaction that holds the writer's place.
"""

from __future__ import annotations

import os
import sys
import warnings
from types import SimpleNamespace
from typing import Any

from alembic import context
from sqlalchemy import URL, Connection, make_url

from webapp.database.engines import WRITES, make_engine
from webapp.models import Base
from webapp.settings import database_address

# They are left out on purpose (see of_ours); a test compares their text.
warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression")
warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")

LOCK = 7_083_662
"""Of pg_advisory_lock: the shop's revisions."""

LIMITS = SimpleNamespace(
    pool_size=1,
    pool_overflow=0,
    pool_timeout=5,
    pool_recycle=3600,
    statement_timeout=60,
    lock_timeout=4,
    sqlite_synchronous="FULL",
)
SQLITE_WAIT_SECONDS = 120
"""For the other upgrade: it holds the writer's place from its beginning to its end."""


def address() -> URL:
    """The database that is to be changed. Ends the program when none is named."""
    try:
        return make_url(database_address(os.environ["DATABASE_URL"]))
    except KeyError:
        sys.exit("DATABASE_URL is not set: it names the database to upgrade")
    except ValueError as problem:
        sys.exit(f"DATABASE_URL {problem}")


def of_ours(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Whether autogenerate compares it: not views, not what searches products, and none of
    the indexes over expressions, which the two sides spell differently."""
    if kind == "table":
        is_search = (name or "").startswith("product_search")
        return not is_search and not thing.info.get("is_view", False)
    if kind == "index":
        return not (name or "").endswith("_lower") and name not in (
            "uq_product_seller_sku",
            "product_search",
        )
    return True


def other_type(
    migration: Any, _found: Any, column: Any, _found_type: Any, wanted: Any
) -> bool | None:
    """Whether a column of one of our types was declared otherwise: reflection knows the names
    that SQLite has in common with others, not TIMESTAMPTZ and UUID."""
    if migration.dialect.name != "sqlite" or type(wanted).__module__ != "webapp.database.types":
        return None
    declared = migration.connection.exec_driver_sql(
        "SELECT type FROM pragma_table_xinfo(?) WHERE name = ?", (column.table.name, column.name)
    ).scalar()
    return bool(declared != wanted.compile(migration.dialect))


def configured(connection: Connection | None = None, **words: Any) -> None:
    """Tell Alembic what to compare and how."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=of_ours,
        render_item=rendered,
        compare_type=other_type,
        compare_server_default=False,
        **words,
    )


def rendered(kind: str, thing: Any, autogen: Any) -> str | bool:
    """The shop's own types by their names."""
    if kind == "type" and type(thing).__module__ == "webapp.database.types":
        autogen.imports.add("from webapp.database import types")
        return f"types.{type(thing).__name__}()"
    return False


def online() -> None:
    """Change the database itself, once nobody else is at it."""
    url = address()
    if url.get_backend_name() == "sqlite":
        LIMITS.lock_timeout = SQLITE_WAIT_SECONDS
    engine = make_engine(url, LIMITS, name="shop-migrate")
    try:
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                _sqlite(connection.execution_options(**{WRITES: True}))
        else:
            with engine.connect() as connection:
                _postgresql(connection)
    finally:
        engine.dispose()


def _sqlite(connection: Connection) -> None:
    with connection.begin():
        configured(connection, transactional_ddl=False)
        context.run_migrations()


def _postgresql(connection: Connection) -> None:
    # The wait for others is not a wait for a lock that holds up the shop: no limit.
    connection.exec_driver_sql("SET statement_timeout = 0; SET lock_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK})")
    connection.exec_driver_sql("RESET statement_timeout; RESET lock_timeout")
    connection.commit()
    try:
        configured(connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
        connection.commit()


if context.is_offline_mode():
    configured(url=address(), literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
else:
    online()
