"""Who asks: by the session's cookie in a browser, by a bearer token of a program."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar, cast

import flask
from flask import Flask, g, request
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response

from webapp.database import Frozen
from webapp.services import people, sessions
from webapp.services.people import Viewer
from webapp.settings import Settings
from webapp.web.shop import now, read, shop, write

P = ParamSpec("P")
R = TypeVar("R")


def cookie_name() -> str:
    """With TLS, one that no other host and no plain connection can set."""
    return "__Host-shop-session" if shop().settings.secure_cookies else "shop-session"


def lifetime(settings: Settings) -> sessions.Lifetime:
    """How long a session lasts."""
    return sessions.Lifetime(
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(days=settings.session_absolute_days),
    )


def viewer() -> Viewer | None:
    """Who asks, looked up once for each request."""
    if "viewer" not in g:
        g.viewer = _look_up()
    return cast("Viewer | None", g.viewer)


def token() -> str | None:
    """What the request bears: of one that has an Authorization, nothing else counts."""
    if by_cookie():
        return request.cookies.get(cookie_name())
    kind, _, value = request.headers["Authorization"].partition(" ")
    return value.strip() or None if kind.lower() == "bearer" else None


def by_cookie() -> bool:
    """Whether a browser asks, which sends its cookie whoever made it ask."""
    return "Authorization" not in request.headers


def _look_up() -> Viewer | None:
    bearer = token()
    if not bearer:
        return None
    lasts = lifetime(shop().settings)
    found = read(lambda s: sessions.find(s, bearer, now=now(), lifetime=lasts))
    if found is None:
        return None
    if found.is_stale:
        _touch(found.viewer)
    return found.viewer


def _touch(who: Viewer) -> None:
    # That somebody was here is worth less than the page they asked for.
    try:
        write(lambda s: sessions.touch(s, who.session_id, now=now()))
    except (Frozen, DBAPIError):
        return


def remember(response: Response, bearer: str) -> None:
    """Give the browser its new session, and its forms new tokens."""
    flask.session.pop("csrf_token", None)
    settings = shop().settings
    response.set_cookie(
        cookie_name(),
        bearer,
        max_age=timedelta(days=settings.session_absolute_days),
        secure=settings.secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def forget(response: Response) -> None:
    """Take the session from the browser."""
    flask.session.pop("csrf_token", None)
    settings = shop().settings
    response.delete_cookie(
        cookie_name(), secure=settings.secure_cookies, httponly=True, samesite="Lax", path="/"
    )


def _guarded(
    check: Callable[[Viewer | None], Viewer],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def around(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **words: P.kwargs) -> R:
            check(viewer())
            return view(*args, **words)

        return checked

    return around


login_required = _guarded(people.known)
"""Of a view that only somebody who is logged in may ask for."""
seller_required = _guarded(people.seller)
admin_required = _guarded(people.admin)


def install(app: Flask) -> None:
    """Pages may ask who looks at them."""
    app.context_processor(lambda: {"viewer": viewer})
