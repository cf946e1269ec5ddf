"""Joining, logging in and out, and setting a password that was forgotten."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.blueprints.accounts.blueprint import (
    Page,
    begin_session,
    blueprint,
    page_or_front,
    try_password,
    typed,
)
from webapp.blueprints.accounts.sentences import sentences
from webapp.models import User
from webapp.services import accounts, passwords, proofs, sessions
from webapp.services.errors import Conflict, Invalid, NotFound
from webapp.services.people import known
from webapp.services.proofs import Proof
from webapp.web.language import gettext, language
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import forget, login_required, remember, viewer


@blueprint.get("/register")
def register() -> Page:
    """The form to join."""
    return render_template("accounts/register.html", problems={})


@blueprint.post("/register")
def join() -> Page:
    """Join, and be logged in."""
    email, username, chosen, when = typed("email"), typed("username"), language(), now()
    secret, problems = _chosen(typed("password"), email, username)

    def work(session: Session) -> str:
        user = accounts.register(
            session, email=email, username=username, secret=secret, language=chosen, now=when
        )
        if problems:
            raise Invalid({})  # nothing but the password: take the account back
        _end_current(session)
        return begin_session(session, user)

    try:
        bearer = write(work)
    except Invalid as refused:
        said = sentences(problems | refused.problems)
        return render_template("accounts/register.html", problems=said), refused.status
    return _entered(bearer)


def _chosen(password: str, *personal: str) -> tuple[str, dict[str, str]]:
    """The hash of a new password, or what is wrong with it."""
    try:
        return passwords.chosen(password, *personal), {}
    except Invalid as refused:
        return "", refused.problems


@blueprint.get("/login")
def login() -> Page:
    """The form to log in."""
    return render_template("accounts/login.html", problems={})


@blueprint.post("/login")
def enter() -> Page:
    """Log in: the session that the browser had ends, a new one begins."""
    proof = proofs.prove(try_password(typed("login")), typed("password"))

    def work(session: Session, proof: Proof) -> str:
        user = proofs.accept(session, proof)
        _end_current(session)
        return begin_session(session, user)

    try:
        if proof is not None:
            return _entered(write(lambda s: work(s, proof)))
    except Conflict:
        pass  # closed, or another password since: as if it had been so before
    said = sentences({"login": "login_wrong"})
    return render_template("accounts/login.html", problems=said), 422


def identify(name: str, password: str) -> User | None:
    """Whose name and password these are, counting failures. Raises TooMany."""
    proof = proofs.prove(try_password(name), password)
    if proof is None:
        return None
    try:
        return write(lambda s: proofs.accept(s, proof))
    except Conflict:
        return None


def _end_current(session: Session) -> None:
    before = viewer()
    if before is not None:
        sessions.end(session, before.id, now=now(), session_id=before.session_id)


def _entered(bearer: str) -> Response:
    response = redirect(page_or_front(request.args.get("next")), 303)
    remember(response, bearer)
    return response


@blueprint.post("/logout")
@login_required
def logout() -> Response:
    """End this session, here and on the server."""
    who, when = known(viewer()), now()
    write(lambda s: sessions.end(s, who.id, now=when, session_id=who.session_id))
    response = redirect(url_for("marketplace.browse"), 303)
    forget(response)
    return response


# --- forgotten passwords ------------------------------------------------------------------------


@blueprint.get("/password/forgot")
def forgot() -> Page:
    """Where to send a link."""
    return render_template("accounts/forgot.html")


@blueprint.post("/password/forgot")
def send_link() -> Response:
    """Send it, if there is such an account; the answer is the same if not."""
    email, when = typed("email"), now()
    link = shop().settings.public_url + url_for("accounts.reset", token="TOKEN")  # noqa: S106
    write(lambda s: accounts.ask_reset(s, email, link=link, now=when))
    flash(gettext("If there is an account with this address, a link is on its way to it."))
    return redirect(url_for("accounts.login"), 303)


@blueprint.get("/password/reset/<token>")
def reset(token: str) -> Page:
    """The form for a new password."""
    when = now()
    try:
        read(lambda s: accounts.whose(s, token, now=when))
    except NotFound as gone:
        return render_template("accounts/reset_old.html"), gone.status
    return render_template("accounts/reset.html", problems={})


@blueprint.post("/password/reset/<token>")
def set_password(token: str) -> Page:
    """Set it; every session ends."""
    when = now()
    try:
        names = read(lambda s: accounts.whose(s, token, now=when))
        secret = passwords.chosen(typed("password"), names.email, names.username)
        write(lambda s: accounts.reset(s, token, secret, now=when))
    except NotFound as gone:
        return render_template("accounts/reset_old.html"), gone.status
    except Invalid as refused:
        said = sentences(refused.problems)
        return render_template("accounts/reset.html", problems=said), refused.status
    flash(gettext("Your new password is set. Log in with it."))
    return redirect(url_for("accounts.login"), 303)
