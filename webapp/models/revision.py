"""Which revision of the schema these models are: the newest of ``migrations/marketplace``."""

from __future__ import annotations

REVISION = "0003"
"""A test compares it with Alembic's head."""
