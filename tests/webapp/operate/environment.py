"""The environment of a shop's processes under test, and what they answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from webapp.settings import Settings, variable

REPOSITORY = Path(__file__).resolve().parents[3]
CANARY = "c4nary"
"""Part of every secret of these tests: nothing that is shown may hold it."""

VARIABLES = {name: variable(name) for name in Settings.model_fields}
RIGHT = {
    "SHOP_APP_ENV": "development",
    "DATABASE_URL": f"postgresql+psycopg://shop:{CANARY}-1@127.0.0.1/shop",
    "SECRET_KEY": f"{CANARY}-2-and-as-long-as-a-key-must-be",
    "SHOP_PUBLIC_URL": "https://shop.example",
    "SHOP_MAIL": "console",
    "SHOP_PAYMENTS": "fake",
}
"""Just what is required."""


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


def surroundings(settings: Mapping[str, str]) -> dict[str, str]:
    """An environment with these settings of the shop and no others."""
    ours = {*VARIABLES.values(), "PROMETHEUS_MULTIPROC_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHONPATH": str(REPOSITORY)} | dict(settings)


def run(settings: Mapping[str, str], *words: str) -> Said:
    """The real command ``webapp``."""
    done = subprocess.run(
        [sys.executable, "-m", "webapp.cli", *words],
        env=surroundings(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
