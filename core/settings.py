"""The only reader of the environment.

Everything that may differ between machines arrives here once, as one frozen
value; no other module of Mudanza looks at ``os.environ``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "es")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says.

    home: folder of the embedded server, the snapshots and its own log.
    home_is_default: nobody chose ``home``; only then may root's server lie elsewhere.
    language: "en" or "es".
    pg_bindir: configured folder of PostgreSQL binaries, searched before all others.
    path: which way rows may go: "auto", "exact" (one by one only) or "arrow".
    failpoints: where tests make the process fail; '' for everybody else.
    """

    home: Path
    home_is_default: bool = False
    language: str = "en"
    pg_bindir: Path | None = None
    path: str = "auto"
    failpoints: str = ""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``MUDANZA_HOME``, ``MUDANZA_LANG``, ``MUDANZA_PG_BINDIR``, ``MUDANZA_PATH``,
    ``MUDANZA_FAIL`` and their fallbacks."""
    env = os.environ if environment is None else environment
    bindir = env.get("MUDANZA_PG_BINDIR")
    return Settings(
        home=_home(env),
        home_is_default=not env.get("MUDANZA_HOME"),
        language=_language(env),
        pg_bindir=Path(bindir) if bindir else None,
        path=env.get("MUDANZA_PATH") or "auto",
        failpoints=env.get("MUDANZA_FAIL", ""),
    )


def _home(env: Mapping[str, str]) -> Path:
    if chosen := env.get("MUDANZA_HOME"):
        return Path(chosen)
    data = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME", "~")).expanduser() / ".local/share")
    return Path(data) / "mudanza"


def _language(env: Mapping[str, str]) -> str:
    spoken = (
        env.get("MUDANZA_LANG")
        or env.get("LC_ALL")
        or env.get("LC_MESSAGES")
        or env.get("LANG")
        or ""
    )
    return next((code for code in LANGUAGES if spoken.lower().startswith(code)), "en")
