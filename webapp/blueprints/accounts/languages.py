"""The language that a browser's pages are in."""

from __future__ import annotations

from datetime import timedelta

from flask import g, redirect
from werkzeug.wrappers import Response

from webapp.blueprints.accounts.blueprint import blueprint, page_or_front, typed
from webapp.web.language import COOKIE, LANGUAGES
from webapp.web.shop import shop

LASTS = timedelta(days=365)


@blueprint.post("/language")
def choose_language() -> Response:
    """Another language, for this browser."""
    response = redirect(page_or_front(typed("next")), 303)
    if typed("language") in LANGUAGES:
        keep(response, typed("language"))
    return response


def keep(response: Response, chosen: str | None) -> None:
    """Let the browser remember it; or that nothing is chosen."""
    secure = shop().settings.secure_cookies
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen or "", max_age=LASTS, secure=secure, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="Lax")


def speak(chosen: str | None) -> None:
    """Say the rest of this answer in it, if it is one of ours."""
    if chosen in LANGUAGES:
        g.language = chosen
