"""One browser or program: a connection that is kept, a request, a status."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

IDLE_MAX = 2.0
"""Seconds after which a connection is made anew: the server closes what idles for longer, and
might do so in the moment in which we ask."""


@dataclass(frozen=True)
class Request:
    """What is sent, and the statuses that are an answer to it."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    accepts: tuple[int, ...] = (200,)


class Client:
    """``address``: such as http://127.0.0.1:8000. One request at a time."""

    def __init__(self, address: str, seconds: float = 10) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=seconds
        )
        self._used = 0.0

    def send(self, request: Request) -> str:
        """Why it failed; '' when it did not."""
        if time.monotonic() - self._used > IDLE_MAX:
            self._connection.close()
        try:
            self._connection.request(
                request.method, request.path, request.body, headers=request.headers
            )
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        self._used = time.monotonic()
        return "" if answer.status in request.accepts else f"status {answer.status}"

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
