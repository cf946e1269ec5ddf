"""Which of two databases is live, from a small file that whoever moves them rewrites.

The file holds one JSON object, ``{"backend": "sqlite"}`` or ``{"backend": "postgresql"}``, and
is replaced as a whole (written beside, then renamed). It is looked at before each unit of
work: a switch needs neither a deploy nor a restart.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from pathlib import Path

_LOG = logging.getLogger(__name__)

_Mark = tuple[int, int, int]


class RouteUnreadable(Exception):
    """The route file does not say which database is live."""


class Route:
    """``backends``: those that may be named; without a file the first of them is live."""

    def __init__(self, file: Path | None, backends: Collection[str]) -> None:
        self._file, self._backends = file, tuple(backends)
        self._mark: _Mark | None = None
        self._live = self._backends[0]
        if file is not None and file.exists():
            self._mark, self._live = _mark(file), self._read(file)

    def live(self) -> str:
        """The backend of the live database, as of now.

        A file that is gone or makes no sense changes nothing: the last answer stands, and
        the log says so.
        """
        if self._file is None:
            return self._live
        try:
            mark = _mark(self._file)
            if mark != self._mark:
                self._live, self._mark = self._read(self._file), mark
                _LOG.info("route: %s is live", self._live)
        except (OSError, RouteUnreadable) as unreadable:
            if self._mark is not None:
                _LOG.warning("route: %s stays live: %s", self._live, unreadable)
                self._mark = None
        return self._live

    def _read(self, file: Path) -> str:
        try:
            said = json.loads(file.read_text(encoding="utf-8"))["backend"]
        except (ValueError, KeyError, TypeError) as error:
            raise RouteUnreadable(f"{file} holds no backend") from error
        if said not in self._backends:
            raise RouteUnreadable(f"{file} names a database that is not configured")
        return str(said)


def _mark(file: Path) -> _Mark:
    state = file.stat()
    return state.st_ino, state.st_mtime_ns, state.st_size
