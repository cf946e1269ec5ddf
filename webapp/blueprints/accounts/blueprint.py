"""The blueprint that the routes of this package are on, and what they share."""

from __future__ import annotations

from flask import Blueprint, current_app, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from webapp.models import User
from webapp.services import proofs, sessions
from webapp.services.proofs import Attempt
from webapp.services.throttle import Limits
from webapp.web.security import local
from webapp.web.shop import now, shop, write
from webapp.web.viewer import lifetime

Page = Response | str | tuple[str, int]

blueprint = Blueprint("accounts", __name__)


def typed(name: str) -> str:
    """What a field of the form was sent with."""
    return request.form.get(name, "")


def try_password(name: str) -> Attempt:
    """Begin to try a password for a name or a mail address; it counts as failed. Raises
    TooMany."""
    settings, when, address = shop().settings, now(), request.remote_addr or ""
    limits = Limits(settings.login_attempts, settings.login_attempts_address)
    return write(lambda s: proofs.begin(s, name, address=address, limits=limits, now=when))


def begin_session(session: Session, user: User, *, is_api: bool = False) -> str:
    """A session of the request's bearer."""
    return sessions.begin(
        session,
        user,
        now=now(),
        lifetime=lifetime(shop().settings),
        address=request.remote_addr or "",
        agent=(request.user_agent.string or "").replace("\x00", ""),
        is_api=is_api,
    )


def page_or_front(target: str | None) -> str:
    """``target`` if it is a page of this shop; else the front page."""
    front = url_for("marketplace.browse")
    path = local(target)
    if path is None:
        return front
    try:
        current_app.url_map.bind("").match(path.partition("?")[0], method="GET")
    except HTTPException:  # nothing there, or only something that takes forms
        return front
    return path
