"""A first look at the target, before anything is written to it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import TargetEncoding, TargetPrivilege, TargetReadOnly, TargetTooOld
from core.server.binaries import OLDEST_MAJOR
from core.server.connection import Connection, Target, translated

LEDGER_SCHEMA = "mudanza"


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What a server says of itself, seen from one database, one role and one schema.

    ``version`` is like "18.6". ``read_only`` is true on a standby and for a role
    whose transactions are read only. The ``can_create`` claims say whether the
    role may create schemas in the database, and things in the schema and in the
    ledger's; for a schema that is missing they say whether it may be made.
    """

    version: str
    major: int
    encoding: str
    read_only: bool
    database: str
    role: str
    schema_exists: bool
    ledger_exists: bool
    can_create_schemas: bool
    can_create_in_schema: bool
    can_create_in_ledger: bool


def preflight(connection: Connection, target: Target, schema: str) -> ServerFacts:
    """Look at the server and refuse what a run could not finish on.

    Raises TargetTooOld, TargetReadOnly, TargetEncoding, TargetPrivilege.
    """
    facts = server_facts(connection, target, schema)
    if facts.major < OLDEST_MAJOR:
        raise TargetTooOld(target=target.shown, found=facts.version, wanted=OLDEST_MAJOR)
    if facts.read_only:
        raise TargetReadOnly(target=target.shown)
    if facts.encoding != "UTF8":
        raise TargetEncoding(target=target.shown, encoding=facts.encoding)
    if not facts.can_create_in_schema:
        raise _lacks_create(facts, target, schema, exists=facts.schema_exists)
    if not facts.can_create_in_ledger:
        raise _lacks_create(facts, target, LEDGER_SCHEMA, exists=facts.ledger_exists)
    return facts


def server_facts(connection: Connection, target: Target, schema: str) -> ServerFacts:
    """The facts alone, with no judgement. One query; it writes nothing."""
    with translated(target):
        row = connection.execute(_FACTS, {"schema": schema, "ledger": LEDGER_SCHEMA}).fetchone()
    assert row is not None  # a SELECT without FROM has one row
    number, version, encoding, read_only, database, role, may_make, in_schema, in_ledger = row
    return ServerFacts(
        version=str(version).split()[0],
        major=int(str(number)) // 10_000,
        encoding=str(encoding),
        read_only=bool(read_only),
        database=str(database),
        role=str(role),
        schema_exists=in_schema is not None,
        ledger_exists=in_ledger is not None,
        can_create_schemas=bool(may_make),
        can_create_in_schema=bool(may_make if in_schema is None else in_schema),
        can_create_in_ledger=bool(may_make if in_ledger is None else in_ledger),
    )


def _lacks_create(
    facts: ServerFacts, target: Target, schema: str, *, exists: bool
) -> TargetPrivilege:
    where = f'SCHEMA "{schema}"' if exists else f'DATABASE "{facts.database}"'
    return TargetPrivilege(target=target.shown, detail=f'"{facts.role}": CREATE ON {where}')


# A schema's name is compared as text: to_regnamespace would parse it. The last
# two columns are NULL for a schema that does not exist.
_FACTS = """
SELECT current_setting('server_version_num'),
       current_setting('server_version'),
       current_setting('server_encoding'),
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
       current_database(),
       current_user,
       has_database_privilege(current_database(), 'CREATE'),
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %(schema)s),
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = %(ledger)s)
"""
