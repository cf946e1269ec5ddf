"""The program that :mod:`core.verify.provers` starts: the quick proof of one table after another.

What it is told comes as lines of JSON on its standard input: first what stands still,
then the tables. It answers each with a line: how many rows, or null.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from core.plan import TablePlan, from_json
from core.server.connection import Target, connect
from core.verify.provers import Standstill
from core.verify.streams import QuickProof


def main() -> None:
    """Answer until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sent us decides when we end
    lines = iter(sys.stdin.buffer)
    standstill = from_json(Standstill, next(lines).decode())
    target = Target(conninfo=standstill.conninfo, shown=standstill.shown)
    with (
        connect(target, autocommit=True) as connection,
        connection.transaction(),
        suppress(BrokenPipeError),
    ):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET TRANSACTION SNAPSHOT '{standstill.view}'".encode())
        quick = QuickProof(Path(standstill.snapshot), connection, standstill.schema)
        for line in lines:
            os.write(
                1, json.dumps(quick.rows(from_json(TablePlan, line.decode()))).encode() + b"\n"
            )


if __name__ == "__main__":
    main()
