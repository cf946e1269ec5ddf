"""The operations of the API, each declared beside what does it.

A program shows its token in ``Authorization``; a browser's cookie opens nothing here, so no
page can make a browser ask.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from flask import Blueprint, Response, g, jsonify, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from webapp.blueprints.accounts import begin_session, identify
from webapp.blueprints.api import schemas
from webapp.blueprints.api.document import Operation, document
from webapp.services import accounts, catalogue, categories, listings, orders, sessions
from webapp.services.catalogue import ProductDetail, Search, Sort
from webapp.services.errors import Invalid, LoginNeeded
from webapp.services.people import known
from webapp.web.errors import problem
from webapp.web.language import gettext, language
from webapp.web.paging import after_position, opened, position, signed
from webapp.web.security import csrf
from webapp.web.shop import category_tree as kept_tree
from webapp.web.shop import now, read, shop, write
from webapp.web.viewer import by_cookie, viewer

ROOT = "/api/v1"
OPERATIONS: list[Operation] = []
KEY = "Idempotency-Key"

M = TypeVar("M", bound=BaseModel)
View = Callable[..., BaseModel | None]

blueprint = Blueprint("api", __name__, url_prefix=ROOT)
csrf.exempt(blueprint)


@blueprint.before_request
def _no_cookies() -> None:
    if by_cookie():
        g.viewer = None


@blueprint.errorhandler(ValidationError)
def _misshapen(error: ValidationError) -> Response:
    # Where and what kind alone: an input may be a password.
    fields = {".".join(map(str, e["loc"])) or "body": e["type"] for e in error.errors()}
    sentence = gettext("Some of what you sent cannot be used.")
    return problem(422, "invalid", sentence, problems=fields)


def operation(declared: Operation) -> Callable[[View], View]:
    """Serve what it decorates as an operation: with the parts of the path as they are, and
    ``query`` and ``body`` as the models that were declared."""
    OPERATIONS.append(declared)

    def around(view: View) -> View:
        def served(**parts: Any) -> Response:
            if not declared.is_open and viewer() is None:
                raise LoginNeeded
            if declared.query is not None:
                parts["query"] = declared.query.model_validate(request.args.to_dict())
            if declared.body is not None:
                parts["body"] = _body(declared.body)
            return _answer(view(**parts), declared.status)

        rule = declared.path
        blueprint.add_url_rule(rule, declared.name, served, methods=[declared.method])
        return view

    return around


def _body(model: type[M]) -> M:
    if not request.is_json:
        raise Invalid({"body": "not_json"})
    return model.model_validate_json(request.get_data())


def _answer(said: BaseModel | None, status: int) -> Response:
    if said is None:
        return Response(status=status)
    response = Response(said.model_dump_json(), status, content_type="application/json")
    if status == 201:
        response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The document of all that follows."""
    return jsonify(document(OPERATIONS, ROOT))


# --- tokens -------------------------------------------------------------------------------


@operation(
    Operation(
        method="POST",
        path="/tokens",
        name="log_in",
        summary="A token for a name and a password.",
        body=schemas.Credentials,
        answer=schemas.Token,
        status=201,
        is_open=True,
        problems=(401,),
    )
)
def log_in(body: schemas.Credentials) -> BaseModel:
    """Failures are counted as those in a browser are."""
    user = identify(body.login, body.password)
    if user is None:
        raise LoginNeeded
    bearer = write(lambda s: begin_session(s, user, is_api=True))
    lasts = timedelta(days=shop().settings.session_absolute_days)
    return schemas.Token(token=bearer, expires_at=now() + lasts)


@operation(
    Operation(
        method="DELETE",
        path="/tokens/current",
        name="log_out",
        summary="End the token that is shown.",
        status=204,
    )
)
def log_out() -> None:
    """Here and everywhere."""
    who, when = known(viewer()), now()
    write(lambda s: sessions.end(s, who.id, now=when, session_id=who.session_id))


@operation(
    Operation(method="GET", path="/me", name="me", summary="Whose token it is.", answer=schemas.Me)
)
def me() -> BaseModel:
    """The viewer."""
    who = known(viewer())
    own = read(lambda s: accounts.profile(s, who))
    return schemas.Me(id=who.id, username=own.username, role=own.role)


# --- the catalogue ----------------------------------------------------------------------------


@operation(
    Operation(
        method="GET",
        path="/categories",
        name="categories",
        summary="The tree of categories, in the language that the request accepts.",
        answer=schemas.Categories,
        is_open=True,
    )
)
def category_tree() -> BaseModel:
    """All of it."""
    found = kept_tree(language())
    return schemas.Categories(items=[_node(branch) for branch in found])


def _node(branch: categories.Branch) -> schemas.CategoryNode:
    return schemas.CategoryNode(
        slug=branch.slug,
        name=branch.name,
        products=branch.products,
        children=[_node(below) for below in branch.branches],
    )


@operation(
    Operation(
        method="GET",
        path="/products",
        name="products",
        summary="What is for sale, a page at a time.",
        query=schemas.ProductQuery,
        answer=schemas.Products,
        is_open=True,
    )
)
def products(query: schemas.ProductQuery) -> BaseModel:
    """A page."""
    wanted = Search(
        words=query.q.strip(),
        category=query.category or None,
        price_min=_price(query.price_min),
        price_max=_price(query.price_max),
        in_stock=query.in_stock,
        sort=Sort(query.sort) if query.sort else None,
    )
    scope = f"api-{wanted.order}"
    after = opened(query.after, scope)
    found = read(lambda s: catalogue.browse(s, wanted, after=after, size=query.size))
    return schemas.Products(
        items=[schemas.ProductSummary.model_validate(card) for card in found.items],
        next=signed(found.after, scope),
    )


@operation(
    Operation(
        method="GET",
        path="/products/<int:id>",
        name="product",
        summary="One product.",
        answer=schemas.ProductDetail,
        is_open=True,
        problems=(404,),
    )
)
def product(id: int) -> BaseModel:  # noqa: A002
    """It, to whoever may see it."""
    chosen, who = language(), viewer()
    return _product(read(lambda s: catalogue.product(s, who, id, language=chosen)))


def _product(found: ProductDetail) -> schemas.ProductDetail:
    words = {name: getattr(found, name) for name in schemas.ProductSummary.model_fields}
    return schemas.ProductDetail(
        **words,
        description=found.description,
        category=found.category[-1].slug if found.category else None,
        attributes=dict(found.attributes),
        state=found.state,
        version=found.version,
        reviews=found.rating.reviews if found.rating else 0,
        average=found.rating.average if found.rating else None,
    )


@operation(
    Operation(
        method="POST",
        path="/products",
        name="offer",
        summary="Offer a product, at once for everybody to buy.",
        body=schemas.ProductIn,
        answer=schemas.Created,
        status=201,
        problems=(403,),
    )
)
def offer(body: schemas.ProductIn) -> BaseModel:
    """A new product."""
    who, when = known(viewer()), now()

    def work(session: Session) -> int:
        made = listings.offer(session, who, _offer(body), now=when)
        listings.put_up(session, who, made, now=when)
        return made

    return schemas.Created(id=write(work))


@operation(
    Operation(
        method="PUT",
        path="/products/<int:id>",
        name="change",
        summary="Say something else of a product, over the version that was read.",
        body=schemas.ProductChange,
        status=204,
        problems=(403, 404, 409),
    )
)
def change(id: int, body: schemas.ProductChange) -> None:  # noqa: A002
    """By its seller."""
    who, when = known(viewer()), now()
    write(lambda s: listings.change(s, who, id, body.version, _offer(body), now=when))


def _price(said: object) -> Decimal | None:
    """The model has made an amount of it already: its declared type is that of the text."""
    assert said is None or isinstance(said, Decimal)
    return said


def _offer(body: schemas.ProductIn) -> listings.Offer:
    return listings.Offer(
        title=body.title,
        price=_price(body.price),
        stock=body.stock,
        currency=body.currency,
        description=body.description,
        category=body.category or "",
        sku=body.sku or "",
    )


# --- orders -----------------------------------------------------------------------------------


@operation(
    Operation(
        method="POST",
        path="/orders",
        name="place_order",
        summary="Order, once for each key however often it is sent.",
        body=schemas.OrderIn,
        answer=schemas.Placed,
        status=201,
        problems=(404, 409),
        headers={KEY: "Chosen by the client; the same for each try of one order."},
    )
)
def place_order(body: schemas.OrderIn) -> BaseModel:
    """The money is asked for after the answer."""
    key = request.headers.get(KEY, "")
    if not 8 <= len(key) <= 200 or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid({KEY: "key_missing"})
    who, when, provider = known(viewer()), now(), shop().providers.payments.name
    lines = [(line.product_id, line.quantity) for line in body.items]
    address = body.address.model_dump()

    def work(session: Session) -> orders.Placed:
        return orders.place_once(
            session, who, key, lines, address=address, note=body.note, provider=provider, now=when
        )

    return schemas.Placed(order_ids=list(write(work).order_ids))


@operation(
    Operation(
        method="GET",
        path="/orders",
        name="orders",
        summary="The orders of the token's owner, the newest first.",
        query=schemas.OrderQuery,
        answer=schemas.Orders,
    )
)
def order_list(query: schemas.OrderQuery) -> BaseModel:
    """A page."""
    who, after = known(viewer()), _after(query.after)
    found = read(lambda s: orders.listing(s, who, after=after, size=query.size + 1))
    following = None
    if len(found) > query.size:
        found = found[: query.size]
        following = position(
            found[-1].created_at.isoformat(), str(found[-1].id), scope="api-orders"
        )
    items = [schemas.OrderSummary.model_validate(one) for one in found]
    return schemas.Orders(items=items, next=following)


def _after(cursor: str) -> orders.Position | None:
    if not cursor:
        return None
    moment, order_id = after_position(cursor, 2, scope="api-orders")
    return datetime.fromisoformat(moment), uuid.UUID(order_id)


@operation(
    Operation(
        method="GET",
        path="/orders/<uuid:id>",
        name="order",
        summary="One order of the token's owner.",
        answer=schemas.OrderDetail,
        problems=(404,),
    )
)
def order(id: uuid.UUID) -> BaseModel:  # noqa: A002
    """To whoever is on either side of it."""
    return _order(id)


@operation(
    Operation(
        method="POST",
        path="/orders/<uuid:id>/cancel",
        name="cancel_order",
        summary="Take back an order that is not paid.",
        answer=schemas.OrderDetail,
        problems=(404, 409),
    )
)
def cancel_order(id: uuid.UUID) -> BaseModel:  # noqa: A002
    """By its buyer."""
    who, when = known(viewer()), now()
    write(lambda s: orders.cancel(s, who, id, now=when))
    return _order(id)


def _order(order_id: uuid.UUID) -> schemas.OrderDetail:
    who = known(viewer())
    found = read(lambda s: orders.order(s, who, order_id))
    return schemas.OrderDetail(
        id=found.id,
        state=found.state,
        total=found.total,
        currency=found.currency,
        created_at=found.created_at,
        items=[schemas.OrderLine.model_validate(line) for line in found.lines],
        address=dict(found.address),
        note=found.note,
        payment=found.payment,
    )
