"""Whether this process runs, and whether it can serve: for whoever restarts and balances it.

Neither looks for a session, and neither says more than whether.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.models.revision import REVISION
from webapp.web.shop import read

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers. It asks nobody else: a database that is away is no reason to
    restart the shop."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """The live database answers, and its tables are those that this code was written for."""
    try:
        found = read(_revision)
    except SQLAlchemyError:
        return jsonify(status="unready", database="does not answer"), 503
    if found != REVISION:
        return jsonify(status="unready", database="has another revision"), 503
    return jsonify(status="ready"), 200


def _revision(session: Session) -> str | None:
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
