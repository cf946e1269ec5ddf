"""The routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.blueprints.accounts.sentences import sentences
from webapp.models import Purpose, User
from webapp.services import accounts, passwords, sessions
from webapp.services.errors import Conflict, Invalid, NotFound
from webapp.services.people import known
from webapp.web import language as languages
from webapp.web.language import gettext
from webapp.web.security import local
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import admin_required, forget, lifetime, login_required, remember, viewer

T = TypeVar("T")
Page = Response | str | tuple[str, int]

blueprint = Blueprint("accounts", __name__)


# --- joining, logging in and out ------------------------------------------------------------


@blueprint.get("/register")
def register() -> Page:
    """The form to join."""
    return render_template("accounts/register.html", problems={})


@blueprint.post("/register")
def join() -> Page:
    """Join, and be logged in."""
    email, username, password = (_field(n) for n in ("email", "username", "password"))
    chosen, when = languages.language(), now()
    problems: dict[str, str] = {}
    try:
        passwords.require_good(password, email, username)
    except Invalid as refused:
        problems = refused.problems
    secret = passwords.hashed(password) if not problems else ""

    def work(session: Session) -> str:
        user = accounts.register(
            session, email=email, username=username, secret=secret, language=chosen, now=when
        )
        session.flush()
        if problems:
            raise Invalid(problems)
        return begin_session(session, user)

    try:
        bearer = write(work)
    except Invalid as refused:
        said = sentences(problems | refused.problems)
        return render_template("accounts/register.html", problems=said), refused.status
    return _entered(bearer)


@blueprint.get("/login")
def login() -> Page:
    """The form to log in."""
    return render_template("accounts/login.html", problems={})


@blueprint.post("/login")
def enter() -> Page:
    """Log in: the session that the browser had ends, a new one begins."""
    name, password = _field("login"), _field("password")
    user = identify(name, password)
    if user is None:
        said = sentences({"login": "login_wrong"})
        return render_template("accounts/login.html", problems=said), 422
    before = viewer()
    when = now()

    def work(session: Session) -> str:
        if before is not None:
            sessions.end(session, before.id, now=when, session_id=before.session_id)
        return begin_session(session, user)

    return _entered(write(work))


def identify(name: str, password: str) -> User | None:
    """Whose name and password these are, counting failures. Raises TooMany."""
    settings, when = shop().settings, now()
    limits = accounts.Limits(settings.login_attempts, settings.login_attempts_address)
    address = request.remote_addr or ""
    tried = write(lambda s: accounts.attempt(s, name, address=address, limits=limits, now=when))
    # Between the two transactions: deriving a key takes longer than most of what is written.
    if not passwords.fits(password[: passwords.LONGEST + 1], tried.kept):
        return None
    outdated = tried.kept is not None and passwords.is_outdated(tried.kept)
    new_hash = passwords.hashed(password) if outdated else None
    try:
        return write(lambda s: accounts.succeed(s, tried, new_hash=new_hash))
    except NotFound:
        return None


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


def _entered(bearer: str) -> Response:
    target = local(request.args.get("next")) or url_for("marketplace.browse")
    response = redirect(target, 303)
    remember(response, bearer)  # type: ignore[arg-type]
    return response


@blueprint.post("/logout")
@login_required
def logout() -> Response:
    """End this session, here and on the server."""
    who, when = known(viewer()), now()
    write(lambda s: sessions.end(s, who.id, now=when, session_id=who.session_id))
    response = redirect(url_for("marketplace.browse"), 303)
    forget(response)  # type: ignore[arg-type]
    return response


# --- forgotten passwords -----------------------------------------------------------------------


@blueprint.get("/password/forgot")
def forgot() -> Page:
    """Where to send a link."""
    return render_template("accounts/forgot.html")


@blueprint.post("/password/forgot")
def send_link() -> Response:
    """Send it, if there is such an account; the answer is the same if not."""
    email, when = _field("email"), now()
    link = shop().settings.public_url + url_for("accounts.reset", token="TOKEN")  # noqa: S106
    write(lambda s: accounts.ask_reset(s, email, link=link, now=when))
    flash(gettext("If there is an account with this address, a link is on its way to it."), "done")
    return redirect(url_for("accounts.login"), 303)


@blueprint.get("/password/reset/<token>")
def reset(token: str) -> Page:
    """The form for a new password."""
    when = now()
    if not read(lambda s: accounts.is_open(s, token, Purpose.RESET_PASSWORD, now=when)):
        return render_template("accounts/reset_old.html"), 404
    return render_template("accounts/reset.html", problems={})


@blueprint.post("/password/reset/<token>")
def set_password(token: str) -> Page:
    """Set it; every session ends."""
    password, when = _field("password"), now()
    try:
        write(lambda s: accounts.reset(s, token, password, now=when))
    except NotFound:
        return render_template("accounts/reset_old.html"), 404
    except Invalid as refused:
        said = sentences(refused.problems)
        return render_template("accounts/reset.html", problems=said), refused.status
    flash(gettext("Your new password is set. Log in with it."), "done")
    return redirect(url_for("accounts.login"), 303)


# --- one's own account ---------------------------------------------------------------------------


@blueprint.get("/account")
@login_required
def account() -> Page:
    """What somebody keeps about themselves."""
    return _account_page({})


@blueprint.post("/account")
@login_required
def change_profile() -> Page:
    """Name, language, selling."""
    who = known(viewer())
    words = request.form.get("display_name", ""), request.form.get("language")
    sells = request.form.get("sells") == "yes"
    return _changed(
        lambda s: accounts.change_profile(
            s, who, display_name=words[0], language=words[1], sells=sells
        )
    )


@blueprint.post("/account/email")
@login_required
def change_email() -> Page:
    """Another address."""
    who, email, password = known(viewer()), _field("email"), _field("current_password")
    return _changed(lambda s: accounts.change_email(s, who, email, password))


@blueprint.post("/account/password")
@login_required
def change_password() -> Page:
    """Another password; all other sessions end."""
    who, when = known(viewer()), now()
    current, password = _field("current_password"), _field("password")
    return _changed(lambda s: accounts.change_password(s, who, current, password, now=when))


def _changed(work: Callable[[Session], None]) -> Page:
    try:
        write(work)
    except Invalid as refused:
        return _account_page(sentences(refused.problems)), refused.status
    flash(gettext("It is saved."), "done")
    return redirect(url_for("accounts.account"), 303)


def _account_page(problems: dict[str, str]) -> str:
    who = known(viewer())
    own = read(lambda s: accounts.profile(s, who))
    return render_template("accounts/account.html", profile=own, problems=problems)


@blueprint.get("/account/sessions")
@login_required
def session_list() -> Page:
    """Where somebody is logged in."""
    who, when = known(viewer()), now()
    found = read(lambda s: accounts.open_sessions(s, who, now=when))
    return render_template("accounts/sessions.html", sessions=found)


@blueprint.post("/account/sessions/<int:id>/revoke")
@login_required
def revoke(id: int) -> Response:  # noqa: A002
    """End one of them."""
    who, when = known(viewer()), now()
    write(lambda s: accounts.revoke(s, who, id, now=when))
    flash(gettext("That session has ended."), "done")
    return redirect(url_for("accounts.session_list"), 303)


@blueprint.get("/account/delete")
@login_required
def delete() -> Page:
    """What it means to leave."""
    return render_template("accounts/delete.html", problems={})


@blueprint.post("/account/delete")
@login_required
def leave() -> Page:
    """Leave."""
    who, password, when = known(viewer()), _field("current_password"), now()
    try:
        write(lambda s: accounts.leave(s, who, password, now=when))
    except Invalid as refused:
        said = sentences(refused.problems)
        return render_template("accounts/delete.html", problems=said), refused.status
    flash(gettext("Your account is deleted. Goodbye."), "done")
    response = redirect(url_for("marketplace.browse"), 303)
    forget(response)  # type: ignore[arg-type]
    return response


@blueprint.post("/language")
def choose_language() -> Response:
    """Another language, for this browser."""
    chosen = request.form.get("language", "")
    target = local(request.form.get("next")) or url_for("marketplace.browse")
    response = make_response(redirect(target, 303))
    if chosen in languages.LANGUAGES:
        response.set_cookie(
            languages.COOKIE,
            chosen,
            max_age=365 * 24 * 3600,
            secure=shop().settings.secure_cookies,
            httponly=True,
            samesite="Lax",
        )
    return response


# --- governing ------------------------------------------------------------------------------------


@blueprint.get("/admin")
@admin_required
def admin() -> Page:
    """People's accounts."""
    words = request.args.get("q", "")
    found = read(lambda s: accounts.people(s, words))
    return render_template("accounts/admin.html", people=found, words=words)


@blueprint.post("/admin/users/<int:id>/disable")
@admin_required
def disable(id: int) -> Response:  # noqa: A002
    """Close an account."""
    return _set_disabled(id, disabled=True)


@blueprint.post("/admin/users/<int:id>/enable")
@admin_required
def enable(id: int) -> Response:  # noqa: A002
    """Open it again."""
    return _set_disabled(id, disabled=False)


def _set_disabled(user_id: int, *, disabled: bool) -> Response:
    who, when = known(viewer()), now()
    try:
        write(lambda s: accounts.disable(s, who, user_id, disabled=disabled, now=when))
    except Conflict:
        flash(gettext("You cannot close your own account here."), "problem")
    return redirect(url_for("accounts.admin"), 303)


@blueprint.get("/admin/first/<token>")
@login_required
def first_admin(token: str) -> Page:
    """Whoever runs the shop has made this link for the first admin."""
    when = now()
    if not read(lambda s: accounts.is_open(s, token, Purpose.CREATE_ADMIN, now=when)):
        raise NotFound
    return render_template("accounts/first_admin.html")


@blueprint.post("/admin/first/<token>")
@login_required
def become_admin(token: str) -> Response:
    """Become it."""
    who, when = known(viewer()), now()
    write(lambda s: accounts.become_admin(s, who, token, now=when))
    flash(gettext("You govern the shop now."), "done")
    return redirect(url_for("accounts.admin"), 303)


def _field(name: str) -> str:
    return request.form.get(name, "")
