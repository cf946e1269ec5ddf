"""Units of work: everything of one request in one transaction, on the live database.

Services never commit. What must happen after a commit (mail, payments) is a row of the
outbox, written in the same transaction.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.database.engines import WRITES
from webapp.database.route import Route

T = TypeVar("T")

RETRIES = 3
_SERIALIZATION, _DEADLOCK = "40001", "40P01"
_READ_ONLY = "25006"
_FROZEN = "MIGRATION_FROZEN"


class Frozen(Exception):
    """The database answers that it must not be written now: it is being moved."""

    RETRY_AFTER = 5
    """Seconds."""


class Database:
    """The live one of ``engines``, by their backend's names, as ``route`` says."""

    def __init__(self, engines: dict[str, Engine], route: Route) -> None:
        self._engines, self._route = engines, route

    @property
    def engine(self) -> Engine:
        """The live database's."""
        return self._engines[self._route.live()]

    @property
    def backend(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._route.live()

    @property
    def engines(self) -> Mapping[str, Engine]:
        """All of them, by their backends: the live one, and the one that may become it."""
        return self._engines

    def close(self) -> None:
        """Give back every connection."""
        for engine in self._engines.values():
            engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        # Closing ends the transaction, and leaves what was read as it is.
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """What ``work`` answers, once all that it did is committed; or nothing of it is.

        ``work`` may run several times: it must do nothing but through its session. It is
        repeated after a deadlock or a serialization failure, and on the other database when
        this one is frozen and the route has changed. Raises Frozen.
        """
        attempt = 0
        while True:
            backend = self._route.live()
            try:
                return self._once(backend, work)
            except DBAPIError as error:
                attempt += 1
                if is_frozen(error):
                    if self._route.live() != backend and attempt <= RETRIES:
                        continue
                    raise Frozen from error
                if not _passes(error) or attempt > RETRIES:
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311

    def _once(self, backend: str, work: Callable[[Session], T]) -> T:
        engine = self._engines[backend].execution_options(**{WRITES: True})
        with Session(engine, expire_on_commit=False) as session, session.begin():
            answer = work(session)
            session.flush()
            return answer


def is_frozen(error: DBAPIError) -> bool:
    """Whether the database refused to be written: by a mover's trigger or guard, or as a
    whole."""
    return _sqlstate(error) == _READ_ONLY or _FROZEN in str(error.orig)


def _passes(error: DBAPIError) -> bool:
    return _sqlstate(error) in (_SERIALIZATION, _DEADLOCK)


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
