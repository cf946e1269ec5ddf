"""A target's address, a connection to it, and the one place that translates driver errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

import psycopg
from psycopg import conninfo, pq

from core.errors import (
    TargetAddressInvalid,
    TargetConflict,
    TargetDatabaseMissing,
    TargetDiskFull,
    TargetFailed,
    TargetLocked,
    TargetLoginRefused,
    TargetLost,
    TargetPrivilege,
    TargetReadOnly,
    TargetRefused,
    TargetTimeout,
    TargetUnreachable,
)

SCHEMES = ("postgresql://", "postgres://")

Connection = psycopg.Connection[tuple[object, ...]]
"""A connection whose rows are tuples."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a PostgreSQL database is.

    ``conninfo`` may hold a password and is for the driver alone; ``shown`` never
    holds one and is what sentences, logs and the ledger say.
    """

    conninfo: str = field(repr=False)
    shown: str


def parse_target(text: str) -> Target:
    """Read an address: a ``postgresql://`` URL or libpq's ``key=value`` words.

    What it leaves out is libpq's to fill, from its environment variables, its
    service file and ``.pgpass``. Raises TargetAddressInvalid.
    """
    address = text.strip()
    try:
        words = conninfo.conninfo_to_dict(address)
    except (psycopg.Error, UnicodeError):
        # Without the cause: libpq quotes the piece it stumbled over, and that
        # may be half of a password.
        raise TargetAddressInvalid(target=_outline(address)) from None
    if not address or _misread(address) or not _plausible(words):
        raise TargetAddressInvalid(target=_outline(address))
    return Target(conninfo=address, shown=_shown(words))


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """What bounds a session's waiting, in seconds; 0 is no bound.

    idle: between two statements of one transaction. gone: how often the server looks
    whether the client of a running statement is still there.
    """

    statement: float = 0
    lock: float = 0
    idle: float = 0
    gone: float = 0.2


def connect(
    target: Target,
    *,
    autocommit: bool = False,
    application_name: str = "mudanza",
    timeouts: Timeouts | None = None,
) -> Connection:
    """Open a connection with the session settings that all of Mudanza relies on.

    Without ``timeouts`` the server's own hold. Raises TargetUnreachable,
    TargetLoginRefused, TargetDatabaseMissing, or TargetAddressInvalid for a word
    with an impossible value.
    """
    words = _WISHES | _given(target) | {"application_name": application_name}
    try:
        connection = psycopg.connect(
            conninfo.make_conninfo(target.conninfo, **words),
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.OperationalError as error:
        raise _connect_refusal(error, target) from error
    except (psycopg.Error, UnicodeError) as error:
        raise TargetAddressInvalid(target=target.shown) from error
    with translated(target):
        try:
            connection.execute(_SESSION)
            if timeouts is not None:
                connection.execute(_TIMEOUTS, _milliseconds(timeouts))
            connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def translated(target: Target) -> Iterator[None]:
    """Turn the driver's errors into ours, each with its cause.

    By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    Only the primary message is passed on: the DETAIL and CONTEXT that come with
    it quote rows. An error without SQLSTATE that is no broken connection is a
    defect of ours and passes untouched.
    """
    try:
        yield
    except psycopg.Error as error:
        refusal = _refusal(error, target)
        if refusal is None:
            raise
        raise refusal from error


# --- reading an address ------------------------------------------------------


def _misread(address: str) -> bool:
    """True when libpq would cut the address elsewhere than its writer meant.

    It ends the user's part at the first '@' or '/': an unescaped one inside a
    password makes the rest of that password a host, a port or a database name,
    which messages would then show.
    """
    scheme = next((s for s in SCHEMES if address.startswith(s)), None)
    if scheme is None:
        return False
    authority, _, path = address.removeprefix(scheme).partition("/")
    return authority.count("@") > 1 or "@" in path.partition("?")[0]


def _plausible(words: Mapping[str, object]) -> bool:
    """False when a word holds what belongs to another one: then it may hold a password."""
    ports = str(words.get("port") or "").split(",")
    hosts = str(words.get("host") or "").split(",")
    return (
        all(not port or port.isdecimal() for port in ports)
        and not any("@" in host[1:] for host in hosts)
        and "://" not in str(words.get("dbname") or "")
    )


def _outline(address: str) -> str:
    """As much of a broken address as surely holds no password."""
    scheme = next((s for s in SCHEMES if address.startswith(s)), None)
    if scheme:
        return f"{scheme}…"
    shown = re.split(r"[:=@]", address, maxsplit=1)[0]
    return shown if shown == address else f"{shown}…"


def _shown(words: Mapping[str, object]) -> str:
    """The address that libpq will use, its environment included, as a URL without secrets."""
    given = {key: str(value) for key, value in words.items()}
    if service := given.get("service"):
        return f"postgresql://?service={quote(service, safe='')}"
    known = _libpq_defaults() | given
    user = quote(known.get("user", ""), safe="")
    database = quote(known.get("dbname") or known.get("user", ""), safe="")
    host = known.get("host") or known.get("hostaddr") or ""
    if host.startswith(("/", "@")):
        return f"postgresql://{user}@/{database}?host={quote(host, safe='/,')}"
    place = f"{host}:{known['port']}" if host and known.get("port") else host
    return f"postgresql://{user}@{place}/{database}"


def _libpq_defaults() -> dict[str, str]:
    options = pq.Conninfo.get_defaults()
    return {o.keyword.decode(): o.val.decode() for o in options if o.val is not None}


# --- opening -----------------------------------------------------------------

_WISHES: dict[str, str] = {
    "connect_timeout": "10",
    # A peer that vanished is noticed after 30 + 3 * 10 seconds.
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds that sent bytes may stay unconfirmed
    "client_encoding": "UTF8",
}

# By statement, not by libpq's ``options``: connection poolers refuse that word.
_SESSION = """
SELECT set_config('TimeZone', 'UTC', false),
       set_config('DateStyle', 'ISO, YMD', false),
       set_config('IntervalStyle', 'postgres', false),
       set_config('bytea_output', 'hex', false),
       set_config('extra_float_digits', '1', false)  -- above 0: the shortest exact spelling
"""

# The last three: a server notices a client whose host is gone, after 30 seconds
# and three unanswered questions.
_TIMEOUTS = """
SELECT set_config('statement_timeout', %(statement)s, false),
       set_config('lock_timeout', %(lock)s, false),
       set_config('idle_in_transaction_session_timeout', %(idle)s, false),
       set_config('client_connection_check_interval', %(gone)s, false),
       set_config('tcp_keepalives_idle', '30', false),
       set_config('tcp_keepalives_interval', '10', false),
       set_config('tcp_keepalives_count', '3', false)
"""


def _milliseconds(timeouts: Timeouts) -> dict[str, str]:
    return {name: str(int(seconds * 1000)) for name, seconds in asdict(timeouts).items()}


def _given(target: Target) -> dict[str, str]:
    """The words in which the user already decided what we only wish for."""
    words = _libpq_defaults() | {
        key: str(value) for key, value in conninfo.conninfo_to_dict(target.conninfo).items()
    }
    return {key: words[key] for key in _WISHES if key in words and key != "client_encoding"}


# --- translating errors ------------------------------------------------------

_BY_SQLSTATE: Mapping[str, type[TargetRefused]] = {
    "08P01": TargetFailed,  # malformed binary data, too: the connection lives on
    "25006": TargetReadOnly,
    "25P03": TargetLost,  # the server ended an idle transaction, and the session
    "25P04": TargetLost,  # the same for a transaction that took too long
    "3D000": TargetDatabaseMissing,
    "40001": TargetConflict,
    "40P01": TargetConflict,
    "42501": TargetPrivilege,
    "53100": TargetDiskFull,
    "53300": TargetUnreachable,
    "55P03": TargetLocked,
    "57014": TargetTimeout,
    "57P01": TargetLost,
    "57P02": TargetLost,
    "57P03": TargetUnreachable,
    "57P04": TargetLost,
    "57P05": TargetLost,
}
_BY_CLASS: Mapping[str, type[TargetRefused]] = {"08": TargetLost, "28": TargetLoginRefused}


def _refusal(error: psycopg.Error, target: Target) -> TargetRefused | None:
    sqlstate = error.sqlstate
    if sqlstate is None:
        lost = isinstance(error, psycopg.OperationalError)
        return TargetLost(target=target.shown, detail=_first_line(error)) if lost else None
    kind = _BY_SQLSTATE.get(sqlstate) or _BY_CLASS.get(sqlstate[:2], TargetFailed)
    detail = _without_values(sqlstate, error.diag.message_primary or _first_line(error))
    if kind is TargetReadOnly:
        return TargetReadOnly(target=target.shown)
    if kind is TargetFailed:
        return TargetFailed(target=target.shown, sqlstate=sqlstate, detail=detail)
    return kind(target=target.shown, detail=detail)


def _without_values(sqlstate: str, message: str) -> str:
    """The message without the value that errors about data (class 22) quote."""
    if sqlstate.startswith("22"):
        return re.sub(r'".*"', '"…"', message, flags=re.DOTALL)
    return message


def _connect_refusal(error: psycopg.OperationalError, target: Target) -> TargetRefused:
    """What a failed connection means.

    libpq passes no SQLSTATE on from a connection that never stood, only the
    server's text, in the server's language. We know the English and the Spanish
    for a missing database and for a server not ready, full, or gone in that
    moment; whatever else a server says before letting us in is a refused login.
    """
    detail = _spoken(error)
    if _NO_DATABASE.search(detail):
        return TargetDatabaseMissing(target=target.shown, detail=detail)
    if _server_spoke(error) and not _NOT_READY.search(detail):
        return TargetLoginRefused(target=target.shown, detail=detail)
    return TargetUnreachable(target=target.shown, detail=detail)


_NO_DATABASE = re.compile(
    r'database "[^"]*" does not exist|no existe la base de datos|la base de datos .* no existe',
    re.DOTALL,
)
_NOT_READY = re.compile(
    r"starting up|shutting down|recovery mode|not (yet )?accepting connections"
    r"|too many clients|connection slots are reserved"
    r"|terminating connection|closed the connection|could not receive data|could not send data"
    r"|iniciándose|apagándose|en modo de recuperación|no acepta conexiones"
    r"|demasiados clientes|conexiones restantes están reservadas"
    r"|terminando la conexión|cerró la conexión"
)


def _server_spoke(error: psycopg.OperationalError) -> bool:
    connection = error.pgconn
    asked = connection is not None and (connection.used_password or connection.needs_password)
    return asked or "FATAL:" in str(error)


def _spoken(error: psycopg.OperationalError) -> str:
    """The telling part of libpq's text: without the address, which we show ourselves."""
    return re.split(r"failed: (?:FATAL: +)?", _first_line(error))[-1]


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0]
