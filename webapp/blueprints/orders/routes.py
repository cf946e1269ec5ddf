"""The routes: the cart, ordering, orders and sales, and what payment providers tell."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.blueprints.orders import forms
from webapp.blueprints.orders.sentences import countries, country, sentence, state
from webapp.database import Frozen
from webapp.providers import EventRefused
from webapp.services import calls, orders, payments
from webapp.services import cart as carts
from webapp.services.errors import Conflict, Invalid, NotFound, OutOfStock, Shortage
from webapp.services.people import Viewer, known
from webapp.web.language import gettext
from webapp.web.security import csrf
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import login_required, viewer

_LOG = logging.getLogger(__name__)
blueprint = Blueprint("orders", __name__)

PAGE = 20


@blueprint.context_processor
def _words() -> dict[str, object]:
    """What the pages say things with."""
    return {"state": state, "country": country}


def _who() -> Viewer:
    return known(viewer())


# --- the cart -----------------------------------------------------------------------------


@blueprint.get("/cart")
@login_required
def cart() -> str:
    """What lies in the cart."""
    who = _who()
    return render_template("orders/cart.html", cart=read(lambda s: carts.contents(s, who)))


@blueprint.post("/cart/items")
@login_required
def add() -> Response:
    """Put something in."""
    who, when = _who(), now()
    product_id, quantity = forms.number("product_id"), forms.number("quantity", 1)
    _try(
        lambda s: carts.add(s, who, product_id, quantity, now=when),
        gettext("It is in your cart."),
    )
    return redirect(url_for("orders.cart"), 303)


@blueprint.post(f"/cart/items/<int(max={forms.BIGGEST}):product_id>")
@login_required
def change(product_id: int) -> Response:
    """Have another number of pieces; none takes it out."""
    who, quantity = _who(), forms.number("quantity")
    _try(
        lambda s: carts.change(s, who, product_id, quantity),
        gettext("Your cart is changed."),
    )
    return redirect(url_for("orders.cart"), 303)


# --- ordering -----------------------------------------------------------------------------


@blueprint.get("/checkout")
@login_required
def checkout() -> str | Response:
    """What is about to be ordered, and where it goes. The form's key makes sending it twice
    the same as once."""
    who = _who()
    contents = read(lambda s: carts.contents(s, who))
    if not contents.can_be_had:
        return redirect(url_for("orders.cart"), 303)
    address = read(lambda s: orders.last_address(s, who))
    return _checkout_page(contents, {**address, "key": uuid.uuid4().hex})


@blueprint.post("/checkout")
@login_required
def place() -> str | Response | tuple[str, int]:
    """Order it, then ask for the money once. What is not known then the worker settles."""
    try:
        placed = _placed()
    except (Invalid, OutOfStock) as refused:
        who = _who()
        contents = read(lambda s: carts.contents(s, who))
        if not contents.lines:
            flash(gettext("Your cart is empty. Look at your orders."), "problem")
            return redirect(url_for("orders.history"), 303)
        problems = refused.problems if isinstance(refused, Invalid) else {}
        short = refused.shortages if isinstance(refused, OutOfStock) else ()
        return _checkout_page(contents, request.form, problems, short), refused.status
    except NotFound:
        flash(gettext("Something in your cart is not for sale any more."), "problem")
        return redirect(url_for("orders.cart"), 303)
    if not placed.is_repeated:
        _charge(*placed.order_ids)
    if len(placed.order_ids) == 1:
        return redirect(url_for("orders.order", id=placed.order_ids[0]), 303)
    flash(gettext("Your orders are placed: one for each seller."), "done")
    return redirect(url_for("orders.history"), 303)


def _placed() -> orders.Placed:
    who, when, provider = _who(), now(), shop().providers.payments.name
    key, note, address = forms.text("key"), forms.text("note"), forms.address()
    lines, agreed = forms.lines(), forms.totals()
    return write(
        lambda s: carts.check_out(
            s, who, key, lines,
            agreed=agreed, address=address, note=note, provider=provider, now=when,
        )
    )  # fmt: skip


def _charge(*order_ids: uuid.UUID) -> None:
    """Ask at once, while the buyer waits."""
    parts, when = shop(), now()
    seconds = parts.settings.payment_timeout
    try:
        calls.charge_now(parts.database, parts.providers, order_ids, now=when, seconds=seconds)
    except (Frozen, DBAPIError, NoConnection) as error:
        # The order is placed, whatever ails the database now: the outbox has the rest.
        _LOG.warning("checkout: not charged at once: %s", type(error).__name__)


def _checkout_page(
    contents: carts.Cart,
    given: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    shortages: tuple[Shortage, ...] = (),
) -> str:
    said = {name: sentence(id_) for name, id_ in (problems or {}).items()}
    return render_template(
        "orders/checkout.html",
        cart=contents,
        given=given,
        problems=said,
        shortages=shortages,
        countries=countries(),
    )


# --- orders and sales ---------------------------------------------------------------------


@blueprint.get("/orders")
@login_required
def history() -> str:
    """What the viewer ordered."""
    return _listing(sales=False)


@blueprint.get("/sales")
@login_required
def sales() -> str:
    """What the viewer sold."""
    return _listing(sales=True)


def _listing(*, sales: bool) -> str:
    who, after = _who(), _position(request.args.get("after", ""))
    found = read(lambda s: orders.listing(s, who, sales=sales, after=after, size=PAGE + 1))
    following = None
    if len(found) > PAGE:
        found = found[:PAGE]
        following = f"{found[-1].created_at.isoformat()}_{found[-1].id}"
    return render_template(
        "orders/orders.html",
        orders=found,
        sales=sales,
        following=following,
        is_first=after is None,
    )


def _position(after: str) -> orders.Position | None:
    """Where a page begins. Raises NotFound for what no page of ours said."""
    if not after:
        return None
    moment, _, order_id = after.partition("_")
    try:
        when, id_ = datetime.fromisoformat(moment), uuid.UUID(order_id)
    except ValueError:
        raise NotFound from None
    if when.tzinfo is None:
        raise NotFound
    return when, id_


@blueprint.get("/orders/<uuid:id>")
@login_required
def order(id: uuid.UUID) -> str:  # noqa: A002
    """One order, to its buyer."""
    who = _who()
    found = read(lambda s: orders.order(s, who, id, as_="buyer"))
    return render_template("orders/order.html", order=found)


@blueprint.get("/sales/<uuid:id>")
@login_required
def sale(id: uuid.UUID) -> str:  # noqa: A002
    """One sale, to its seller."""
    who = _who()
    found = read(lambda s: orders.order(s, who, id, as_="seller"))
    return render_template("orders/order.html", order=found)


@blueprint.post("/orders/<uuid:id>/pay")
@login_required
def pay(id: uuid.UUID) -> Response:  # noqa: A002
    """Try to pay once more."""
    who, when = _who(), now()
    if _try(lambda s: payments.try_again(s, who, id, now=when)):
        _charge(id)
    return redirect(url_for("orders.order", id=id), 303)


@blueprint.post("/orders/<uuid:id>/cancel")
@login_required
def cancel(id: uuid.UUID) -> Response:  # noqa: A002
    """Take back an order that is not paid."""
    who, when = _who(), now()
    _try(lambda s: orders.cancel(s, who, id, now=when), gettext("The order is cancelled."))
    return redirect(url_for("orders.order", id=id), 303)


@blueprint.post("/sales/<uuid:id>/ship")
@login_required
def ship(id: uuid.UUID) -> Response:  # noqa: A002
    """It has been sent."""
    who, when = _who(), now()
    _try(lambda s: orders.ship(s, who, id, now=when), gettext("The order is marked as sent."))
    return redirect(url_for("orders.sale", id=id), 303)


@blueprint.post("/sales/<uuid:id>/cancel")
@login_required
def cancel_sale(id: uuid.UUID) -> Response:  # noqa: A002
    """The seller cannot deliver what is not paid yet."""
    who, when = _who(), now()
    _try(
        lambda s: orders.cancel(s, who, id, now=when, as_="seller"),
        gettext("The order is cancelled."),
    )
    return redirect(url_for("orders.sale", id=id), 303)


@blueprint.post("/sales/<uuid:id>/refund")
@login_required
def refund(id: uuid.UUID) -> Response:  # noqa: A002
    """The seller pays back."""
    who, when = _who(), now()
    _try(
        lambda s: payments.refund(s, who, id, now=when),
        gettext("The money goes back to the buyer."),
    )
    return redirect(url_for("orders.sale", id=id), 303)


def _try(work: Callable[[Session], object], done: str | None = None) -> bool:
    """Do it and say so, or say why not."""
    try:
        write(work)
    except Invalid as refused:
        flash(sentence(next(iter(refused.problems.values()))), "problem")
        return False
    except Conflict:
        flash(gettext("It is too late for that: the order has moved on."), "problem")
        return False
    if done:
        flash(done, "done")
    return True


# --- what providers tell ------------------------------------------------------------------


@blueprint.post("/payments/webhook/<provider>")
@csrf.exempt  # type: ignore[untyped-decorator]  # its signature is its way in
def webhook(provider: str) -> tuple[str, int]:
    """Something a provider tells by itself. It is answered alike however often it comes."""
    chosen, when = shop().providers.payments, now()
    if provider != chosen.name:
        raise NotFound
    try:
        event = chosen.event(dict(request.headers), request.get_data())
    except EventRefused:
        return "", 400
    write(lambda s: payments.told(s, provider, event, now=when))
    return "", 204
