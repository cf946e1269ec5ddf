"""What people keep about themselves: a name, an address, a password, sessions; and leaving."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.blueprints.accounts import languages
from webapp.blueprints.accounts.agents import spoken_of
from webapp.blueprints.accounts.blueprint import (
    Page,
    begin_session,
    blueprint,
    try_password,
    typed,
)
from webapp.blueprints.accounts.sentences import ROLES, sentences
from webapp.services import accounts, passwords, proofs, sessions
from webapp.services.errors import Invalid
from webapp.services.people import Viewer, known
from webapp.services.proofs import Proof
from webapp.web.language import gettext
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import forget, lifetime, login_required, remember, viewer


@blueprint.get("/account")
@login_required
def account() -> Page:
    """What somebody keeps about themselves."""
    return _account("accounts/account.html")


@blueprint.post("/account")
@login_required
def change_profile() -> Page:
    """Another name, another language; selling."""
    who, name, chosen = known(viewer()), typed("display_name"), typed("language") or None
    sells, before = typed("sells") == "yes", read(lambda s: accounts.profile(s, who))
    try:
        write(
            lambda s: accounts.change_profile(
                s, who, display_name=name, language=chosen, sells=sells
            )
        )
    except Invalid as refused:
        return _account("accounts/account.html", refused)
    if chosen == before.language:  # then what this browser has chosen stays
        return _saved(gettext("It is saved."))
    languages.speak(chosen)
    response = _saved(gettext("It is saved."))
    languages.keep(response, chosen)
    return response


@blueprint.get("/account/email")
@login_required
def email() -> Page:
    """The form for another address."""
    return _account("accounts/email.html")


@blueprint.post("/account/email")
@login_required
def change_email() -> Page:
    """Another address; it takes the password."""
    who, new, when = known(viewer()), typed("email"), now()
    try:
        proof = _proof(who)
        write(lambda s: accounts.change_email(s, who, new, proof, now=when))
    except Invalid as refused:
        return _account("accounts/email.html", refused)
    return _saved(gettext("Your mail address is changed."))


@blueprint.get("/account/password")
@login_required
def password() -> Page:
    """The form for another password."""
    return _account("accounts/password.html")


@blueprint.post("/account/password")
@login_required
def change_password() -> Page:
    """Another password; all other sessions end, and this one goes on under a new token."""
    who, when = known(viewer()), now()

    def work(session: Session) -> str:
        user = accounts.change_password(session, who, secret, proof, now=when)
        return begin_session(session, user)

    try:
        own = read(lambda s: accounts.profile(s, who))
        proof = _proof(who)
        secret = passwords.chosen(typed("password"), own.email, own.username)
        bearer = write(work)
    except Invalid as refused:
        return _account("accounts/password.html", refused)
    response = _saved(gettext("Your password is changed. You are logged out everywhere else."))
    remember(response, bearer)
    return response


@blueprint.get("/account/delete")
@login_required
def delete() -> Page:
    """What it means to leave."""
    return _account("accounts/delete.html")


@blueprint.post("/account/delete")
@login_required
def leave() -> Page:
    """Leave."""
    who, when = known(viewer()), now()
    try:
        proof = _proof(who)
        write(lambda s: accounts.leave(s, who, proof, now=when))
    except Invalid as refused:
        return _account("accounts/delete.html", refused)
    response = redirect(url_for("marketplace.browse"), 303)
    forget(response)
    flash(gettext("Your account is deleted. Goodbye."))
    return response


@blueprint.get("/account/sessions")
@login_required
def session_list() -> Page:
    """Where somebody is logged in."""
    who, when, lasts = known(viewer()), now(), lifetime(shop().settings)
    found = read(lambda s: sessions.open_sessions(s, who, now=when, lifetime=lasts))
    return render_template("accounts/sessions.html", sessions=found, spoken_of=spoken_of)


@blueprint.post("/account/sessions/<int:id>/revoke")
@login_required
def revoke(id: int) -> Response:  # noqa: A002
    """End one of them."""
    who, when = known(viewer()), now()
    write(lambda s: sessions.revoke(s, who, id, now=when))
    flash(gettext("That session has ended."))
    return redirect(url_for("accounts.session_list"), 303)


def _proof(who: Viewer) -> Proof:
    """That whoever holds the session knows the password, too. Raises Invalid, TooMany."""
    proof = proofs.prove(try_password(who.username), typed("current_password"))
    if proof is None:
        raise Invalid({"current_password": "password_wrong"})
    return proof


def _account(template: str, refused: Invalid | None = None) -> Page:
    who = known(viewer())
    own = read(lambda s: accounts.profile(s, who))
    said = sentences(refused.problems) if refused else {}
    page = render_template(template, profile=own, problems=said, roles=ROLES)
    return (page, refused.status) if refused else page


def _saved(sentence: str) -> Response:
    flash(sentence)
    return redirect(url_for("accounts.account"), 303)
