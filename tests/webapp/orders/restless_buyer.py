"""Orders and cancels without end, until it is killed; a program of its own.

It is told the database's address, the buyer's id and the products' on its command line. For
each line on its standard input it forks a child that does so, and prints the child's pid. A
child writes ``b`` to its standard error before each unit of work, and ``e`` after it.
"""

from __future__ import annotations

import os
import random
import sys
from datetime import UTC, datetime

from tests.webapp.orders.buying import HOME
from tests.webapp.world import settings_for
from webapp import open_database
from webapp.models import Role
from webapp.services import orders
from webapp.services.people import Viewer


def main() -> None:
    url, buyer_id, *ids = sys.argv[1:]
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            order_without_end(url, int(buyer_id), [int(id_) for id_ in ids])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)
        sys.stdout.write("killed\n")
        sys.stdout.flush()


def order_without_end(url: str, buyer_id: int, ids: list[int]) -> None:
    """Every second order is cancelled, so that stock comes back."""
    database = open_database(settings_for(url, lock_timeout=30, statement_timeout=30))
    viewer = Viewer(buyer_id, "buyer", Role.USER, 0)
    number = 0
    while True:
        lines = [(id_, random.randint(1, 3)) for id_ in random.sample(ids, 3)]
        number += 1

        def work(session, lines=lines, number=number):  # type: ignore[no-untyped-def]
            now = datetime.now(UTC)
            made = orders.place_once(
                session, viewer, f"{os.getpid()}-{number}", lines, address=HOME, note="",
                provider="fake", now=now,
            )  # fmt: skip
            if number % 2:
                for order_id in made.order_ids:
                    orders.cancel(session, viewer, order_id, now=now)

        os.write(2, b"b")
        database.write(work)
        os.write(2, b"e")


if __name__ == "__main__":
    main()
