"""What admins do to products of others."""

from __future__ import annotations

from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

from webapp.blueprints.marketplace.blueprint import ID, blueprint
from webapp.services import listings
from webapp.services.people import known
from webapp.web.language import gettext as _
from webapp.web.shop import now, write
from webapp.web.viewer import admin_required, viewer


@blueprint.post(f"/admin/products/{ID}/hide")
@admin_required
def hide(product_id: int) -> Response:
    """Nobody but its seller sees it any more."""
    who, when = known(viewer()), now()
    write(lambda s: listings.hide(s, who, product_id, now=when))
    flash(_("It is hidden. Only its seller and admins see it."))
    return redirect(url_for(".product", product_id=product_id))


@blueprint.post(f"/admin/products/{ID}/show")
@admin_required
def show(product_id: int) -> Response:
    """Its seller may put it up again."""
    who, when = known(viewer()), now()
    write(lambda s: listings.show(s, who, product_id, now=when))
    flash(_("It is no longer hidden. Its seller may put it up for sale again."))
    return redirect(url_for(".product", product_id=product_id))
