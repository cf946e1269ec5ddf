"""What admins do to accounts, and how the first one comes to be."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.blueprints.accounts.blueprint import Page, blueprint, typed
from webapp.blueprints.accounts.sentences import ROLES
from webapp.services import accounts
from webapp.services.errors import Conflict
from webapp.services.people import known
from webapp.web import paging
from webapp.web.language import gettext
from webapp.web.shop import now, read, write
from webapp.web.viewer import admin_required, login_required, viewer

_LIST = "people"


@blueprint.get("/admin")
@admin_required
def admin() -> Page:
    """People's accounts."""
    words, after = request.args.get("q", ""), paging.opened(request.args.get("after"), _LIST)
    found = read(lambda s: accounts.people(s, words, after=after))
    following = paging.signed(found.after, _LIST)
    return render_template(
        "accounts/admin.html", people=found.items, after=following, words=words, roles=ROLES
    )


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
        flash(gettext("The account is closed.") if disabled else gettext("The account is open."))
    except Conflict:
        flash(gettext("You cannot close your own account here."), "problem")
    return redirect(url_for("accounts.admin", q=typed("q") or None), 303)


@blueprint.get("/admin/first/<token>")
@login_required
def first_admin(token: str) -> Page:
    """Whoever runs the shop has made this link for the first admin."""
    when = now()
    read(lambda s: accounts.require_admin_token(s, token, now=when))
    return render_template("accounts/first_admin.html")


@blueprint.post("/admin/first/<token>")
@login_required
def become_admin(token: str) -> Response:
    """Become it."""
    who, when = known(viewer()), now()
    write(lambda s: accounts.become_admin(s, who, token, now=when))
    flash(gettext("You govern the shop now."))
    return redirect(url_for("accounts.admin"), 303)
