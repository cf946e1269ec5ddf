"""What it was measured on."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import apsw

from benchmarks.process import REPOSITORY
from core import __version__


def machine(postgres: str) -> dict[str, str]:
    """The machine and the server on it."""
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _field(Path("/proc/cpuinfo"), "model name"),
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "kernel": f"{platform.system()} {platform.release()}",
        "PostgreSQL": f"{postgres}, embedded, its default settings: fsync is on",
        "before each run": "a database made anew, CHECKPOINT; the source lies in the page cache",
        "Python": platform.python_version(),
        "SQLite": f"{apsw.sqlite_lib_version()} (Mudanza), {sqlite3.sqlite_version} (Python's own)",
        "Mudanza": f"{__version__}, commit {_commit()}",
    }


def package(name: str) -> str:
    """A package and its version."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} is missing"


def said(*command: str) -> str:
    """The first line that a program prints; '' when it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    return ended.stdout.strip().partition("\n")[0] if ended.returncode == 0 else ""


def _commit() -> str:
    changed = "" if not said("git", "status", "--porcelain", "core") else ", with changes in core"
    return (said("git", "rev-parse", "--short", "HEAD") or "unknown") + changed


def _field(file: Path, name: str) -> str:
    """The value after ``name:``."""
    for line in file.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
