"""The routes."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/login")
def login() -> str:
    """The form."""
    return ""
