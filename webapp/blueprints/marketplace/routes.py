"""The routes."""

from __future__ import annotations

from flask import Blueprint, render_template

blueprint = Blueprint("marketplace", __name__)


@blueprint.get("/")
def browse() -> str:
    """What is for sale."""
    return render_template("problem.html", status=200, id="", sentence="")
