"""A way to the server that is cut where it hurts most: around a COMMIT.

It reads the messages that a client sends (https://www.postgresql.org/docs/current/protocol.html)
and cuts one connection, once: at the n-th COMMIT, counted over all connections.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self

_LATE_SECONDS = 0.8


class Cut(StrEnum):
    """What becomes of the COMMIT whose sender is cut off."""

    LOST = "lost"
    """It never reaches the server."""
    UNANSWERED = "unanswered"
    """It takes effect; the answer never reaches the client."""
    LATE = "late"
    """It lies about somewhere and reaches the server when the client has long gone on."""


class Proxy:
    """Passes everything on to ``port`` until the COMMIT number ``nth``; with ``chunks``
    only those count that end a COPY."""

    def __init__(self, port: int, cut: Cut, nth: int, *, chunks: bool = True) -> None:
        self._server = ("127.0.0.1", port)
        self._cut, self._nth, self._chunks = cut, nth, chunks
        self._counting = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.commits = 0

    @property
    def has_cut(self) -> bool:
        """Whether the moment came."""
        return self.commits >= self._nth

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def is_the_one(self, *, copied: bool) -> bool:
        """Whether this COMMIT is to be cut off."""
        if self._chunks and not copied:
            return False
        with self._counting:
            self.commits += 1
            return self.commits == self._nth

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            _Pair(self, self._cut, client, server).start()


class _Pair:
    """One connection: two sockets, a thread for each direction."""

    def __init__(self, proxy: Proxy, cut: Cut, client: socket.socket, server: socket.socket):
        self._proxy, self._cut = proxy, cut
        self._client, self._server = client, server
        self._mute = threading.Event()
        self._answered = threading.Event()
        for side in (client, server):  # each message goes at once
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for direction in (self._to_server, self._to_client):
            threading.Thread(target=direction, daemon=True).start()

    def _to_server(self) -> None:
        with suppress(OSError), self._client.makefile("rb") as reader:
            length = reader.read(4)  # the first message has no type
            self._server.sendall(length + reader.read(int.from_bytes(length) - 4))
            copied = False
            while head := reader.read(5):
                message = head + reader.read(int.from_bytes(head[1:]) - 4)
                kind, words = message[:1], message[5:]
                copied = copied or kind == b"d"
                if kind == b"Q" and words == b"COMMIT\0":
                    if self._proxy.is_the_one(copied=copied):
                        self._cut_off(message)
                        return
                    copied = False
                self._server.sendall(message)
        self._end()

    def _cut_off(self, commit: bytes) -> None:
        if self._cut is Cut.UNANSWERED:
            self._mute.set()
            self._server.sendall(commit)
            self._answered.wait(10)
        if self._cut is Cut.LATE:
            self._hang_up(self._client)
            time.sleep(_LATE_SECONDS)
            self._server.sendall(commit)
            self._answered.wait(1)
        self._end()

    def _to_client(self) -> None:
        with suppress(OSError):
            while said := self._server.recv(1 << 16):
                if self._mute.is_set():
                    self._answered.set()
                    continue
                self._client.sendall(said)
        self._end()

    def _end(self) -> None:
        self._hang_up(self._client)
        self._hang_up(self._server)

    @staticmethod
    def _hang_up(side: socket.socket) -> None:
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
