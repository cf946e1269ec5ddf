"""Payments that move no money, and fail as told: for development and tests.

It keeps books as a real provider does: what was asked under a key is answered once and for
all, by whichever process asks. The books are a small SQLite file, or this process's memory.
What it does depends on nothing but its behaviour and on how many keys it saw before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import Lock

from webapp.providers.payments import (
    Charged,
    Declined,
    Event,
    EventKind,
    EventRefused,
    ProviderTimeout,
)

SIGNATURE = "X-Fake-Signature"
_BOOKS = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL,
    amount TEXT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS news (id TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Entry:
    """What became of one key. ``state``: asked, declined, charged or refunded."""

    number: int
    key: str
    order_id: str
    amount: Decimal
    currency: str
    state: str


class FakePayments:
    """``behaviour``: one of

    * ``works``, ``declines``;
    * ``times_out``: charges nothing and never answers;
    * ``charges_then_times_out``: what is asked happens, but the first answer is lost, to a
      charge and to a refund;
    * ``duplicates``: works, and tells each event twice;
    * ``every:N:KIND``: every Nth key as KIND, the others work.

    ``file``: where the books are; None for this process's memory.
    """

    name = "fake"

    def __init__(self, behaviour: str, secret: str, file: Path | None = None) -> None:
        self.behaviour = behaviour
        self._secret, self._file, self._lock = secret.encode(), file, Lock()
        self._memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, self._memory.close)

    def charge(
        self, key: str, amount: Decimal, currency: str, *, order_id: str
    ) -> Charged | Declined:
        """As the behaviour says. Raises ProviderTimeout."""
        with self._books() as books:
            books.execute(
                "INSERT INTO entry (key, order_id, amount, currency, state)"
                " VALUES (?, ?, ?, ?, 'asked') ON CONFLICT DO NOTHING",
                (key, order_id, str(amount), currency),
            )
            entry = _entry(books, key)
            assert entry is not None
            behaviour = self._towards(entry.number)
            is_new, state = entry.state == "asked", entry.state
            if is_new and behaviour != "times_out":
                state = "declined" if behaviour == "declines" else "charged"
                _settle(books, entry, state)
        if behaviour == "times_out" or (behaviour == "charges_then_times_out" and is_new):
            raise ProviderTimeout("no answer in time")
        if state == "declined":
            return Declined("card_declined")
        return Charged(_reference(key))

    def refund(self, key: str, reference: str, amount: Decimal, currency: str) -> None:
        """Once for each key. Raises ProviderTimeout."""
        with self._books() as books:
            entry = _entry(books, key)
            behaviour = self._towards(entry.number) if entry else "times_out"
            is_new = entry is not None and entry.state == "charged" and behaviour != "times_out"
            if entry is not None and is_new:
                _settle(books, entry, "refunded")
        if behaviour == "times_out" or (behaviour == "charges_then_times_out" and is_new):
            raise ProviderTimeout("no answer in time")

    def entries(self, order_id: str) -> list[Entry]:
        """What the books say of an order, in the order it was asked."""
        with self._books() as books:
            found = books.execute(
                "SELECT * FROM entry WHERE order_id = ? ORDER BY number", (order_id,)
            ).fetchall()
        return [_read(row) for row in found]

    def tell(self, post: Callable[[Mapping[str, str], bytes], bool]) -> int:
        """Send what it has to tell, each message until ``post`` (headers, body) says that it
        was taken; how many were."""
        with self._books() as books:
            news = books.execute("SELECT id, body FROM news ORDER BY rowid").fetchall()
        times = 2 if self.behaviour.endswith("duplicates") else 1
        taken = []
        for id_, text in news:
            body = text.encode()
            headers = {SIGNATURE: self._signature(body)}
            answers = [post(headers, body) for _ in range(times)]
            if all(answers):
                taken.append((id_,))
        with self._books() as books:
            books.executemany("DELETE FROM news WHERE id = ?", taken)
        return len(taken)

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """One of its own messages. Raises EventRefused."""
        given = headers.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), self._signature(body).encode()):
            raise EventRefused
        said = json.loads(body)
        return Event(
            id=said["id"],
            kind=EventKind(said["kind"]),
            order_id=said["order_id"],
            key=said["key"],
            reference=said["reference"],
            payload=said,
        )

    def _towards(self, number: int) -> str:
        """How it behaves towards the key of that number."""
        if not self.behaviour.startswith("every:"):
            return self.behaviour
        _, every, kind = self.behaviour.split(":")
        return kind if number % int(every) == 0 else "works"

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """The books, to be written by nobody else meanwhile."""
        with self._lock, _connected(self._memory, self._file) as books:
            books.executescript(_BOOKS)
            books.execute("BEGIN IMMEDIATE")
            try:
                yield books
            finally:
                books.execute("COMMIT")

    def _signature(self, body: bytes) -> str:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()


@contextmanager
def _connected(kept: sqlite3.Connection, file: Path | None) -> Iterator[sqlite3.Connection]:
    """The connection that is kept, or one to the file, closed afterwards: a connection must
    not go along when a server forks."""
    if file is None:
        yield kept
        return
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as opened:
        yield opened


def _entry(books: sqlite3.Connection, key: str) -> Entry | None:
    row = books.execute("SELECT * FROM entry WHERE key = ?", (key,)).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[int, str, str, str, str, str]) -> Entry:
    number, key, order_id, amount, currency, state = row
    return Entry(number, key, order_id, Decimal(amount), currency, state)


def _settle(books: sqlite3.Connection, entry: Entry, state: str) -> None:
    books.execute("UPDATE entry SET state = ? WHERE key = ?", (state, entry.key))
    kinds = {"charged": "captured", "declined": "failed", "refunded": "refunded"}
    said = {
        "id": f"{entry.key}-{kinds[state]}",
        "kind": kinds[state],
        "order_id": entry.order_id,
        "key": entry.key,
        "reference": _reference(entry.key),
    }
    books.execute("INSERT INTO news VALUES (?, ?)", (said["id"], json.dumps(said)))


def _reference(key: str) -> str:
    return f"fake-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
