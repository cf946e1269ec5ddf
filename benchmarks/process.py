"""Running one program from its start to its exit, with a clock and an eye on its memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.memory import Watch

REPOSITORY = Path(__file__).resolve().parents[1]


class Failed(Exception):
    """A program that was to be measured did not do its work; the text says what it said."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A program that has ended. ``seconds`` from its start to its exit; the peaks of
    memory in bytes, of the whole tree of processes."""

    code: int
    seconds: float
    out: str
    err: str
    rss: int
    pss: int


def run(
    command: Sequence[str], environment: Mapping[str, str], *, accepted: Sequence[int] = (0,)
) -> Ran:
    """Run it in the repository's folder. Raises Failed for an exit code not accepted."""
    os.sync()  # what others left to be written is not to be waited for in this one's time
    began = time.perf_counter()
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=REPOSITORY,
            env=os.environ | environment,
        ) as process,
        Watch(process.pid) as watch,
    ):
        out, err = process.communicate()
        seconds = time.perf_counter() - began
    if process.returncode not in accepted:
        raise Failed(f"exit {process.returncode}: {_tail(err or out)}")
    return Ran(
        code=process.returncode, seconds=seconds, out=out, err=err, rss=watch.rss, pss=watch.pss
    )


def _tail(said: str) -> str:
    return " / ".join(said.strip().splitlines()[-3:])[:600]
