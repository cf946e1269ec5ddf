"""Running PostgreSQL's own programs to their end."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from core.server.account import Account


def run_program(program: Path, account: Account | None, *arguments: object) -> tuple[bool, str]:
    """Run ``program`` as ``account``: whether it succeeded, and all that it said.

    Into a file, never a pipe: a server started by it keeps its end of a pipe
    open, and whoever reads to the end would wait as long as the server lives.
    The user's environment stays outside: PGDATA or PGPORT would change what runs.
    """
    with tempfile.TemporaryFile() as output:
        ended = subprocess.run(
            [program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        output.seek(0)
        return ended.returncode == 0, output.read().decode(errors="replace")


def telling_line(said: str) -> str:
    """The last line that names a failure, else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    failures = [line for line in lines if re.search(r"FATAL|PANIC|error:|could not", line)]
    return (failures or lines or ["it said nothing"])[-1]


def state_of_postgres(pid: int | None) -> str | None:
    """The state letter of the process ``pid``, None unless it is a postgres.

    "Z" is one that ended and whose parent has not taken note. Always None where
    there is no ``/proc``.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    name, _, rest = status.partition("(")[2].rpartition(")")
    return rest.split()[0] if name == "postgres" else None
