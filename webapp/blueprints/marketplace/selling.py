"""Selling: one's list, the form of a product, its pictures, and whether it is for sale."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.blueprints.marketplace import forms
from webapp.blueprints.marketplace.blueprint import ID, NUMBER, blueprint, typed
from webapp.money import CURRENCIES
from webapp.services import images, listings
from webapp.services.errors import Conflict, Invalid
from webapp.services.listings import Draft
from webapp.services.people import seller
from webapp.web import paging
from webapp.web.language import gettext as _
from webapp.web.language import language, number
from webapp.web.shop import category_tree, now, read, shop, write
from webapp.web.viewer import seller_required, viewer

MOVES = {
    "listed": (listings.put_up, _("It is for sale now.")),
    "withdrawn": (listings.withdraw, _("It is not for sale any more.")),
}


@blueprint.get("/sell")
@seller_required
def mine() -> str:
    """What the viewer offers."""
    who, after = seller(viewer()), paging.opened(request.args.get("after"), "listings")
    page = read(lambda s: listings.mine(s, who, after=after))
    return render_template(
        "marketplace/mine.html", page=page, after=paging.signed(page.after, "listings")
    )


@blueprint.get("/sell/new")
@seller_required
def offer_form() -> str:
    """The empty form."""
    return _new({"currency": CURRENCIES[0], "stock": "1"}, {})


@blueprint.post("/sell/new")
@seller_required
def offer() -> Response | tuple[str, int]:
    """A draft of a new product: pictures come next."""
    said, who, when = typed(*forms.FIELDS), seller(viewer()), now()
    try:
        made = write(lambda s: listings.offer(s, who, forms.offer(said), now=when))
    except Invalid as invalid:
        return _new(said, invalid.problems), 422
    flash(_("It is saved as a draft. Add pictures, then put it up for sale."))
    return redirect(url_for(".edit_form", product_id=made))


@blueprint.get(f"/sell/{ID}/edit")
@seller_required
def edit_form(product_id: int) -> str:
    """The form as it was filled in last."""
    return _edit(product_id)


@blueprint.post(f"/sell/{ID}/edit")
@seller_required
def edit(product_id: int) -> Response | tuple[str, int]:
    """Say something else of it."""
    said, who, when = typed(*forms.FIELDS), seller(viewer()), now()
    version = forms.whole(request.form.get("version", "")) or 0
    seen = forms.whole(request.form.get("stock_seen", ""))
    offered = forms.offer(said)
    try:
        write(
            lambda s: listings.change(
                s, who, product_id, version, offered, now=when, stock_seen=seen
            )
        )
    except Conflict:
        return _edit(product_id, said=said, is_stale=True), 409
    except Invalid as invalid:
        seen_again = {"version": version, "stock_seen": seen}
        return _edit(product_id, said=said, problems=invalid.problems, seen=seen_again), 422
    flash(_("Your changes are saved."))
    return redirect(url_for(".edit_form", product_id=product_id))


@blueprint.post(f"/sell/{ID}/images")
@seller_required
def add_image(product_id: int) -> Response | tuple[str, int]:
    """One more picture."""
    most, who, when = shop().settings.upload_bytes_max, seller(viewer()), now()
    content, said = _sent("picture", most + 1), typed("alternative")
    try:
        write(
            lambda s: images.add(
                s, who, product_id, content, said["alternative"], bytes_max=most, now=when
            )
        )
    except Invalid as invalid:
        return _edit(product_id, problems=invalid.problems, picture=said), 422
    flash(_("The picture is added."))
    return redirect(url_for(".edit_form", product_id=product_id, _anchor="pictures"))


def _sent(name: str, most: int) -> bytes:
    """The first bytes of a file; none, if none was chosen."""
    file = request.files.get(name)
    if file is None:
        return b""
    with closing(file.stream) as stream:
        return stream.read(most)


@blueprint.post(f"/sell/{ID}/images/{NUMBER}/remove")
@seller_required
def remove_image(product_id: int, number: int) -> Response:
    """One picture less."""
    who = seller(viewer())
    write(lambda s: images.remove(s, who, product_id, number))
    flash(_("The picture is removed."))
    return redirect(url_for(".edit_form", product_id=product_id, _anchor="pictures"))


@blueprint.post(f"/sell/{ID}/state")
@seller_required
def turn(product_id: int) -> Response:
    """Put it up for sale, or take it down."""
    who, when, wanted = seller(viewer()), now(), request.form.get("state")
    if wanted not in MOVES:
        raise Invalid({"state": "state_unknown"})
    move, said = MOVES[wanted]
    write(lambda s: move(s, who, product_id, now=when))
    flash(_(said))
    return redirect(url_for(".mine"))


def _new(said: Mapping[str, str], problems: Mapping[str, str]) -> str:
    return render_template("marketplace/new.html", **_form(said, problems))


def _edit(
    product_id: int,
    *,
    said: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    seen: Mapping[str, int | None] | None = None,
    is_stale: bool = False,
    picture: Mapping[str, str] | None = None,
) -> str:
    """The page of a product's form. ``seen``: what its hidden fields say, by themselves what
    is saved now."""
    who = seller(viewer())
    draft = read(lambda s: listings.draft(s, who, product_id))
    saved = forms.fields(draft.offer)
    return render_template(
        "marketplace/edit.html",
        draft=draft,
        seen=seen or {"version": draft.version, "stock_seen": draft.stock},
        differing=_differing(saved, said) if is_stale and said else {},
        is_stale=is_stale,
        picture=picture or {},
        most=_limits(draft),
        **_form(said or saved, problems or {}),
    )


def _differing(saved: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """What is saved, where it is not what was typed."""
    return {name: saved[name] for name in forms.FIELDS if saved[name] != said[name].strip()}


def _limits(draft: Draft) -> dict[str, Any]:
    return {
        "is_full": len(draft.pictures) >= images.EACH_MAX,
        "megabytes": number(round(shop().settings.upload_bytes_max / 1024**2, 1)),
    }


def _form(said: Mapping[str, str], problems: Mapping[str, str]) -> dict[str, Any]:
    spoken = language()
    tree = category_tree(spoken)
    return {
        "said": said,
        "problems": problems,
        "currencies": CURRENCIES,
        "branches": [pair for top in tree for pair in top.walk()],
    }
