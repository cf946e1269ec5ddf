"""The same people as Locust plays them, in a process of its own: gevent changes the modules of
whoever imports it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.load.recorder import Latency, Summary
from benchmarks.load.scenario import Cast
from benchmarks.process import REPOSITORY

FILE = Path(__file__).with_name("locustfile.py")
PERIOD = 0.2
"""Seconds from one request of a user to the next, when the last was answered by then."""


def locust(
    address: str, cast: Cast, *, users: int, seconds: float, tags: tuple[str, ...] = ()
) -> dict[str, Summary]:
    """What so many users met, by action. Raises RuntimeError when Locust itself fails."""
    with tempfile.TemporaryDirectory() as folder:
        said, result = Path(folder) / "cast.json", Path(folder) / "result.json"
        said.write_text(json.dumps(asdict(cast)), encoding="utf-8")
        command = [
            sys.executable, "-m", "locust", "-f", FILE, "--headless", "--only-summary",
            "--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds:g}s",
            "--host", address, "--exit-code-on-error", "0", *(("--tags", *tags) if tags else ()),
        ]  # fmt: skip
        theirs = {
            "LOAD_CAST": str(said),
            "LOAD_RESULT": str(result),
            "LOAD_PERIOD": str(PERIOD),
            "PYTHONPATH": str(REPOSITORY),
        }
        ended = subprocess.run(
            command, env=os.environ | theirs, cwd=REPOSITORY, capture_output=True, check=False
        )
        if ended.returncode:
            raise RuntimeError(ended.stderr.decode(errors="replace")[-2000:])
        return {name: _summary(one) for name, one in json.loads(result.read_text()).items()}


def _summary(said: dict[str, Any]) -> Summary:
    latencies = {kind: Latency(**said[kind]) for kind in ("raw", "corrected")}
    return Summary(requests=said["requests"], failures=said["failures"], **latencies)
