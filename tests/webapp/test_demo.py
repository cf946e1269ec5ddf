"""`make demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.webapp.world import REPOSITORY


@pytest.mark.parametrize("stranger", [False, True], ids=["free", "taken"])
def test_the_demo_moves_a_shop_that_runs(reachable_folder: Path, stranger: bool) -> None:
    """``stranger``: somebody listens where the shop would like to."""
    listener = _listen() if stranger else None
    told = subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--check"],
        cwd=REPOSITORY,
        env=os.environ | {"MUDANZA_HOME": str(reachable_folder), "MUDANZA_LANG": "en"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if listener is not None:
        listener.close()
    assert told.returncode == 0, told.stdout + told.stderr
    steps = [line[:2] for line in told.stdout.splitlines() if line[:2] in _STEPS]
    assert steps == list(_STEPS)
    assert "log in with: " in told.stdout
    assert "Nothing lost" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr


_STEPS = ("1.", "2.", "3.", "4.", "5.", "6.")


def _listen():  # type: ignore[no-untyped-def]
    import socket

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 8010))
    listener.listen()
    return listener
