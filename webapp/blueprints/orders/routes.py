"""The routes."""

from __future__ import annotations

import uuid
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from webapp.blueprints.orders.sentences import sentence
from webapp.providers import EventKind, EventRefused
from webapp.services import cart as carts
from webapp.services import letters, orders, outbox, payments
from webapp.services.errors import Conflict, Invalid, NotFound, OutOfStock
from webapp.services.people import known
from webapp.web.language import gettext
from webapp.web.paging import after_position, position
from webapp.web.security import csrf
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import login_required, viewer

blueprint = Blueprint("orders", __name__)

PAGE = 20
FIELDS = ("name", "street", "postcode", "city", "country")
REQUIRED = ("name", "street", "city", "country")
FIELD_MAX = 200
NOTE_MAX = 1000


# --- the cart -----------------------------------------------------------------------------


@blueprint.get("/cart")
@login_required
def cart() -> str:
    """What lies in the cart."""
    who = known(viewer())
    return render_template("orders/cart.html", cart=read(lambda s: carts.contents(s, who)))


@blueprint.post("/cart/items")
@login_required
def add() -> Response:
    """Put something in."""
    who, product_id = known(viewer()), _number("product_id")
    quantity, when = _number("quantity", 1), now()
    try:
        write(lambda s: carts.add(s, who, product_id, quantity, now=when))
    except Invalid as refused:
        flash(_first(refused), "problem")
        return redirect(url_for("marketplace.product", id=product_id))
    flash(gettext("It is in your cart."), "done")
    return redirect(url_for("orders.cart"))


@blueprint.post("/cart/items/<int:product_id>")
@login_required
def change(product_id: int) -> Response:
    """Have another number of pieces; none takes it out."""
    who, quantity = known(viewer()), _number("quantity", 0)
    try:
        write(lambda s: carts.change(s, who, product_id, quantity))
    except Invalid as refused:
        flash(_first(refused), "problem")
    return redirect(url_for("orders.cart"))


# --- ordering -----------------------------------------------------------------------------


@blueprint.get("/checkout")
@login_required
def checkout() -> str | Response:
    """What is about to be ordered, and where it goes. The form's key makes sending it twice
    the same as once."""
    who = known(viewer())
    contents = read(lambda s: carts.contents(s, who))
    if not contents.lines:
        return redirect(url_for("orders.cart"))
    return _checkout_page(contents, key=uuid.uuid4().hex)


@blueprint.post("/checkout")
@login_required
def place() -> str | Response | tuple[str, int]:
    """Order it, then ask for the money."""
    who = known(viewer())
    contents = read(lambda s: carts.contents(s, who))
    key = request.form.get("key", "")
    try:
        address, note = _address(), _text("note", NOTE_MAX)
        placed = _placed(key, contents, address, note)
    except (Invalid, OutOfStock) as refused:
        problems = refused.problems if isinstance(refused, Invalid) else {}
        short = refused.shortages if isinstance(refused, OutOfStock) else ()
        page = _checkout_page(contents, key=key, problems=problems, shortages=short)
        return page, refused.status
    if not placed.is_repeated:
        for order_id in placed.order_ids:
            _charge(order_id)
    if len(placed.order_ids) == 1:
        return redirect(url_for("orders.order", id=placed.order_ids[0]))
    flash(gettext("Your orders are placed: one for each seller."), "done")
    return redirect(url_for("orders.history"))


def _placed(key: str, contents: carts.Cart, address: dict[str, str], note: str) -> orders.Placed:
    who, when, provider = known(viewer()), now(), shop().providers.payments.name
    if not 8 <= len(key) <= FIELD_MAX or not key.isascii() or not key.isprintable():
        raise Invalid({"key": "form_incomplete"})
    lines = [
        (int(product), int(quantity))
        for product, _, quantity in (text.partition("x") for text in request.form.getlist("line"))
        if product.isdigit() and quantity.isdigit() and len(product) < 19 and len(quantity) < 9
    ]
    if not lines or {product for product, _ in lines} - {ln.product_id for ln in contents.lines}:
        # The cart was emptied by the same form, sent before: its key knows the answer.
        lines = lines or [(line.product_id, line.quantity) for line in contents.lines]

    def work(session: Session) -> orders.Placed:
        placed = orders.place_once(
            session, who, key, lines, address=address, note=note, provider=provider, now=when
        )
        if not placed.is_repeated:
            carts.take_out(session, who, [product for product, _ in lines])
            letters.placed(session, placed.order_ids, now=when)
        return placed

    return write(work)


def _charge(order_id: uuid.UUID) -> None:
    """Ask at once, while the buyer waits; what is not answered in time the worker asks again."""
    parts = shop()
    try:
        outbox.charge(parts.database, parts.providers, parts.clock, order_id)
    except outbox.NotYet:
        flash(gettext("We are still confirming your payment. You need not do anything."), "done")


def _checkout_page(
    contents: carts.Cart,
    *,
    key: str,
    problems: dict[str, str] | None = None,
    shortages: tuple[object, ...] = (),
) -> str:
    said = {name: sentence(id_) for name, id_ in (problems or {}).items()}
    return render_template(
        "orders/checkout.html", cart=contents, key=key, problems=said, shortages=shortages
    )


# --- orders and sales ------------------------------------------------------------------------


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
    who, after = known(viewer()), request.args.get("after", "")
    start = orders_position(after)
    found = read(lambda s: orders.listing(s, who, sales=sales, after=start, size=PAGE + 1))
    following = None
    if len(found) > PAGE:
        found = found[:PAGE]
        following = position(found[-1].created_at.isoformat(), str(found[-1].id))
    return render_template(
        "orders/orders.html", orders=found, sales=sales, following=following, is_first=not after
    )


def orders_position(after: str) -> orders.Position | None:
    """Where a page of orders begins. Raises Invalid for a cursor that is none of ours."""
    if not after:
        return None
    moment, order_id = after_position(after, 2)
    return datetime.fromisoformat(moment), uuid.UUID(order_id)


@blueprint.get("/orders/<uuid:id>")
@login_required
def order(id: uuid.UUID) -> str:  # noqa: A002
    """One order, to whoever is on either side of it."""
    who = known(viewer())
    return render_template("orders/order.html", order=read(lambda s: orders.order(s, who, id)))


@blueprint.get("/sales/<uuid:id>")
@login_required
def sale(id: uuid.UUID) -> str:  # noqa: A002
    """One sale, to whoever sells."""
    who = known(viewer())
    found = read(lambda s: orders.order(s, who, id))
    if not found.is_sale:
        raise NotFound
    return render_template("orders/order.html", order=found)


@blueprint.post("/orders/<uuid:id>/pay")
@login_required
def pay(id: uuid.UUID) -> Response:  # noqa: A002
    """Try to pay again after it failed."""
    who, when = known(viewer()), now()
    write(lambda s: payments.try_again(s, who, id, now=when))
    _charge(id)
    return redirect(url_for("orders.order", id=id))


@blueprint.post("/orders/<uuid:id>/cancel")
@login_required
def cancel(id: uuid.UUID) -> Response:  # noqa: A002
    """Take back an order that is not paid."""
    who, when = known(viewer()), now()

    def work(session: Session) -> None:
        orders.cancel(session, who, id, now=when)
        letters.ended(session, id, now=when)

    return _done(work, id, gettext("The order is cancelled."))


@blueprint.post("/sales/<uuid:id>/ship")
@login_required
def ship(id: uuid.UUID) -> Response:  # noqa: A002
    """It has been sent."""
    who, when = known(viewer()), now()

    def work(session: Session) -> None:
        orders.ship(session, who, id, now=when)
        letters.shipped(session, id, now=when)

    return _done(work, id, gettext("The order is marked as sent."))


@blueprint.post("/sales/<uuid:id>/cancel")
@login_required
def cancel_sale(id: uuid.UUID) -> Response:  # noqa: A002
    """The seller cannot deliver what is not paid yet."""
    who, when = known(viewer()), now()

    def work(session: Session) -> None:
        if not orders.order(session, who, id).is_sale:
            raise NotFound
        orders.cancel(session, who, id, now=when)
        letters.ended(session, id, now=when)

    return _done(work, id, gettext("The order is cancelled."))


@blueprint.post("/sales/<uuid:id>/refund")
@login_required
def refund(id: uuid.UUID) -> Response:  # noqa: A002
    """The seller pays back."""
    who, when = known(viewer()), now()

    def work(session: Session) -> None:
        payments.refund(session, who, id, now=when)
        letters.ended(session, id, now=when)

    return _done(work, id, gettext("The money goes back to the buyer."))


def _done(work: object, order_id: uuid.UUID, said: str) -> Response:
    try:
        write(work)  # type: ignore[arg-type]
    except Conflict:
        flash(gettext("It is too late for that: the order has moved on."), "problem")
    else:
        flash(said, "done")
    return redirect(url_for("orders.order", id=order_id))


# --- what providers tell ---------------------------------------------------------------------


@blueprint.post("/payments/webhook/<provider>")
@csrf.exempt  # type: ignore[untyped-decorator]
def webhook(provider: str) -> tuple[str, int]:
    """Something a provider tells by itself; its signature is its way in."""
    chosen, when = shop().providers.payments, now()
    if provider != chosen.name:
        raise NotFound
    try:
        event = chosen.event(dict(request.headers), request.get_data())
    except (EventRefused, ValueError, KeyError):
        raise NotFound from None

    def work(session: Session) -> None:
        if not payments.received(
            session, provider, event.id, event.kind.value, event.payload, now=when
        ):
            return
        order_id = uuid.UUID(event.order_id)
        if event.kind is EventKind.CAPTURED:
            payments.captured(session, order_id, event.reference, now=when)
        elif event.kind is EventKind.FAILED:
            payments.declined(session, order_id, "failed", now=when)
        elif event.kind is EventKind.REFUNDED:
            payments.refunded(session, order_id, now=when)

    write(work)
    return "", 204


# --- reading forms ---------------------------------------------------------------------------


def _number(name: str, default: int = 0) -> int:
    text = request.form.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid({name: "not_a_number"})
    return int(text)


def _text(name: str, most: int) -> str:
    text = request.form.get(name, "").strip()
    if len(text) > most or "\x00" in text:
        raise Invalid({name: "too_long"})
    return text


def _address() -> dict[str, str]:
    found = {name: _text(name, FIELD_MAX) for name in FIELDS}
    lacking = {name: "required" for name in REQUIRED if not found[name]}
    if lacking:
        raise Invalid(lacking)
    return found


def _first(refused: Invalid) -> str:
    return sentence(next(iter(refused.problems.values())))
