"""One program with a clock: what does not end in time is killed with all its children."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.process import REPOSITORY

KILLED = -signal.SIGKILL


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A program that has ended: ``code`` is KILLED when its time was up."""

    code: int
    seconds: float
    out: str
    err: str


def run(command: Sequence[str], environment: Mapping[str, str], limit: float) -> Ended:
    """Run it in the repository's folder for at most ``limit`` seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=REPOSITORY,
        env=os.environ | environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    seconds = time.perf_counter() - began
    return Ended(code=process.returncode, seconds=seconds, out=out, err=err)
