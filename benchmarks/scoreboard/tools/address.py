"""A database to fill: its address, and its password apart."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Address:
    """A database of the board's own server. ``whole`` has the password in it."""

    whole: str

    @property
    def plain(self) -> str:
        """Without the password, which goes to programs by their environment."""
        return self.whole.replace(f":{self.password}@", "@")

    @property
    def password(self) -> str:
        """Of a server that is thrown away with the board."""
        return urlsplit(self.whole).password or ""

    @property
    def bare(self) -> str:
        """Without the password, and without what only libpq understands."""
        return self.plain.partition("?")[0]
