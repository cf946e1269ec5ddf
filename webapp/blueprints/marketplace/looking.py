"""Looking around: the list of what is for sale, one product, its pictures, one's favourites."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

from webapp.blueprints.marketplace import properties
from webapp.blueprints.marketplace.blueprint import ID, NUMBER, blueprint
from webapp.services import catalogue, favourites, images
from webapp.services.cards import ProductCard
from webapp.services.catalogue import Search, Sort
from webapp.services.errors import Invalid
from webapp.services.pages import Page
from webapp.services.people import known
from webapp.web import paging
from webapp.web.language import language
from webapp.web.shop import category_tree, read
from webapp.web.viewer import login_required, viewer

FILTERS = ("q", "category", "seller", "price_min", "price_max", "in_stock", "sort")
_FOREVER, _SHORTLY = "public, max-age=31536000, immutable", "public, max-age=300"


@blueprint.get("/")
def browse() -> tuple[str, int]:
    """What is for sale."""
    filters = {name: value for name in FILTERS if (value := request.args.get(name, ""))}
    try:
        search = catalogue.search(filters)
    except Invalid as invalid:
        return _list(Search(), Page(()), filters, invalid.problems), 422
    after = paging.opened(request.args.get("after"), f"browse by {search.order}")
    return _list(search, read(lambda s: catalogue.browse(s, search, after=after)), filters, {}), 200


def _list(
    search: Search, page: Page[ProductCard], filters: dict[str, str], problems: dict[str, str]
) -> str:
    spoken = language()
    return render_template(
        "marketplace/browse.html",
        search=search,
        page=page,
        after=paging.signed(page.after, f"browse by {search.order}"),
        tree=category_tree(spoken),
        filters=filters,
        problems=problems,
        sorts=[sort for sort in Sort if search.words or sort is not Sort.RELEVANCE],
    )


@blueprint.get(f"/products/{ID}")
def product(product_id: int) -> str:
    """One product."""
    return product_page(product_id)


def product_page(product_id: int, **more: Any) -> str:
    """The page of one product: with ``problems`` and what was ``typed``, if that was sent from
    one of its forms."""
    words = {"problems": {}, "typed": {}, "answering": None} | more
    who, spoken = viewer(), language()
    found = read(lambda s: catalogue.product(s, who, product_id, language=spoken))
    return render_template(
        "marketplace/product.html",
        product=found,
        attributes=properties.told(found.attributes, spoken),
        **words,
    )


@blueprint.get(f"/products/{ID}/images/{NUMBER}")
def image(product_id: int, number: int) -> Response:
    """One picture. Its address may name the digest: then it never changes."""
    who = viewer()
    found = read(lambda s: images.image(s, who, product_id, number))
    response = Response(found.content, content_type=found.media_type)
    response.set_etag(found.digest)
    is_named = request.args.get("v") == found.digest
    kept = (_FOREVER if is_named else _SHORTLY) if found.is_public else "private, no-cache"
    response.headers["Cache-Control"] = kept
    return response.make_conditional(request)


@blueprint.get("/favourites")
@login_required
def favourite_products() -> str:
    """What the viewer wants to find again."""
    who, after = known(viewer()), paging.opened(request.args.get("after"), "favourites")
    page = read(lambda s: favourites.favourites(s, who, after=after))
    return render_template(
        "marketplace/favourites.html", page=page, after=paging.signed(page.after, "favourites")
    )
