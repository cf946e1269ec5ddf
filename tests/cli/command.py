"""The command as people start it: a process of its own, its two outputs, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "core.cli.main")
AS_ANOTHER = """
import os, sys
import core.cli.main as command
uid = int(sys.argv.pop(1))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
else:  # nobody else can be had: to be somebody else in the command's own eyes must do
    os.geteuid = lambda: uid
command.main()
"""
"""The same once it is imported: another user may not reach this interpreter's files."""
SECONDS = 60
CANARY = "c4n4ry-passw0rd"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the command said, and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True, kw_only=True)
class Command:
    """``mudanza`` with a home folder of its own."""

    home: Path

    def start(
        self,
        *arguments: object,
        language: str = "en",
        extra: Mapping[str, str] | None = None,
        user: int | None = None,
        stdout: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Begin, perhaps as another user."""
        how = COMMAND if user is None else (sys.executable, "-c", AS_ANOTHER, str(user))
        return subprocess.Popen(
            [*how, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=REPOSITORY,
            env=environment(self.home, language) | dict(extra or {}),
        )

    def run(
        self,
        *arguments: object,
        language: str = "en",
        extra: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> Answer:
        return finished(self.start(*arguments, language=language, extra=extra, user=user))

    def in_languages(
        self, languages: Sequence[str], *arguments: object, user: int | None = None
    ) -> list[Answer]:
        """The same order in each language, side by side."""
        started = [self.start(*arguments, language=each, user=user) for each in languages]
        return [finished(process) for process in started]

    def snapshots(self) -> list[Path]:
        return sorted((self.home / "snapshots").glob("*"))


def finished(process: subprocess.Popen[str], seconds: float = SECONDS) -> Answer:
    """Wait for the end; a command that hangs is killed, and the test fails."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Answer(code=process.returncode, out=out, err=err)


def environment(home: Path, language: str) -> dict[str, str]:
    """This process's environment without what libpq or Mudanza would take from it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "MUDANZA_"))}
    return kept | {"MUDANZA_HOME": str(home), "MUDANZA_LANG": language, "COLUMNS": "80"}


def squeezed(text: str) -> str:
    return "".join(text.split())
