"""How a refusal is told: a page to people, problem+json (RFC 9457) to programs."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, jsonify, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from webapp.database import Frozen
from webapp.services.errors import LoginNeeded, Refused, TooMany
from webapp.web.language import gettext

_LOG = logging.getLogger(__name__)
API = "/api/"
_BUSY_STATES = {"57014", "55P03", "53300", "57P03"}  # timed out, locked, full, starting


def _(sentence: str) -> str:
    """Marks a sentence for the translators."""
    return sentence


SENTENCES = {
    "not_found": _("There is nothing here, or it is not yours to see."),
    "forbidden": _("Your account may not do this."),
    "login_needed": _("Log in to go on."),
    "conflict": _("Something has changed meanwhile. Look again, then decide."),
    "invalid": _("Some of what you sent cannot be used."),
    "no_such_page": _("This page of the list cannot be found. Begin again at the first one."),
    "too_many": _("Too many attempts. Wait a moment, then try again."),
    "out_of_stock": _("There is not enough left of something you want."),
    "frozen": _("The shop is being moved. You can look around; buying works again in a moment."),
    "busy": _("The shop is very busy. Try again in a moment."),
    "failed": _("Something went wrong on our side. It has been noted."),
    "form_expired": _("This form is too old. Load the page again, then send it once more."),
}
"""What to say of a refusal, by its id; the id's class says the rest."""


def problem(status: int, id_: str, detail: str, **more: Any) -> Response:
    """An answer of the API about a problem."""
    response = jsonify(
        type=f"urn:shop:problem:{id_}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        **more,
    )
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def told(status: int, id_: str, *, retry_after: int | None = None, **facts: Any) -> AnyResponse:
    """The problem, to whoever asked."""
    if status >= 500:
        g.setdefault("viewer", None)  # what failed must not be asked again by the page about it
    sentence = gettext(SENTENCES.get(id_, SENTENCES["failed"]))
    if request.path.startswith(API):
        response: AnyResponse = problem(status, id_, sentence, **facts)
    else:
        page = render_template("problem.html", status=status, id=id_, sentence=sentence, **facts)
        response = Response(page, status)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def install(app: Flask) -> None:
    """Every kind of error has its answer; none shows a trace or SQL."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, lambda _error: told(400, "form_expired"))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(
        Frozen, lambda _error: told(503, "frozen", retry_after=Frozen.RETRY_AFTER)
    )
    app.register_error_handler(NoConnection, lambda _error: told(503, "busy", retry_after=1))
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unknown)


def _refused(error: Refused) -> AnyResponse:
    if isinstance(error, LoginNeeded) and not request.path.startswith(API):
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.login", next=back))
    wait = error.retry_after if isinstance(error, TooMany) else None
    return told(error.status, error.id, retry_after=wait, **error.facts)


def _http(error: HTTPException) -> AnyResponse:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    ids = {404: "not_found", 403: "forbidden", 401: "login_needed"}
    code = error.code or 500
    response = told(code, ids.get(code, "invalid" if code < 500 else "failed"))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _database(error: DBAPIError) -> AnyResponse:
    state = getattr(error.orig, "sqlstate", None)
    busy = state in _BUSY_STATES or "database is locked" in str(error.orig)
    _LOG.error("database: %s %s", state or "", type(error.orig).__name__, exc_info=not busy)
    return told(503, "busy", retry_after=1) if busy else told(500, "failed")


def _unknown(error: Exception) -> AnyResponse:
    _LOG.error("unexpected: %s", type(error).__name__, exc_info=error)
    return told(500, "failed")
