"""The tree of categories. Branches that lost their trunk, or grow out of themselves, as years
of editing leave them, stand at the top instead of hiding or never ending.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.models import Category, Product
from webapp.services.products import LISTED


@dataclass(frozen=True)
class Step:
    """One category on the way down to another."""

    slug: str
    name: str


@dataclass(frozen=True)
class Branch:
    """A category, how many products it and all below it have for sale, and what grows out of
    it."""

    slug: str
    name: str
    products: int
    branches: tuple[Branch, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Branch]]:
        """It and all below it, each with its depth."""
        yield depth, self
        for branch in self.branches:
            yield from branch.walk(depth + 1)


def tree(session: Session, language: str) -> tuple[Branch, ...]:
    """All categories, by their names in a language."""
    below = _below()
    listed = (
        select(Product.category_id, func.count().label("products"))
        .where(LISTED)
        .group_by(Product.category_id)
        .subquery()
    )
    sums = (
        select(below.c.top, func.sum(listed.c.products).label("products"))
        .join(listed, listed.c.category_id == below.c.id)
        .group_by(below.c.top)
        .subquery()
    )
    rows = session.execute(
        select(Category, func.coalesce(sums.c.products, 0))
        .outerjoin(sums, sums.c.top == Category.id)
        .order_by(Category.position, Category.name, Category.id)
    ).all()
    return _grown([(category, int(products)) for category, products in rows], language)


def path(session: Session, category_id: int | None, language: str) -> tuple[Step, ...]:
    """The way from the top to a category."""
    if category_id is None:
        return ()
    above = select(Category.id, Category.parent_id).where(Category.id == category_id)
    way = above.cte("way", recursive=True)
    way = way.union(
        select(Category.id, Category.parent_id).join(way, Category.id == way.c.parent_id)
    )
    rows = session.scalars(select(Category).join(way, way.c.id == Category.id)).all()
    return tuple(_ordered({row.id: row for row in rows}, category_id, language))


def within(slug: str) -> Select[Any]:
    """The ids of a category and of all below it."""
    below = _below()
    return (
        select(below.c.id).join(Category, Category.id == below.c.top).where(Category.slug == slug)
    )


def named(category: Category, language: str) -> str:
    """The category's name in a language, or the English one."""
    return str(category.names.get(language) or category.name)


def _below() -> Any:
    """Each category as ``top``, with the ``id`` of itself and of each below it. A union drops
    what it has already: a circle ends."""
    start = select(Category.id.label("top"), Category.id.label("id"))
    below = start.cte("below", recursive=True)
    return below.union(
        select(below.c.top, Category.id).join(below, Category.parent_id == below.c.id)
    )


def _ordered(by_id: dict[int, Category], last: int, language: str) -> list[Step]:
    steps: list[Step] = []
    number: int | None = last
    while number in by_id:
        category = by_id.pop(number)
        steps.insert(0, Step(category.slug, named(category, language)))
        number = category.parent_id
    return steps


def _grown(rows: Sequence[tuple[Category, int]], language: str) -> tuple[Branch, ...]:
    waiting = {category.id: (category, products) for category, products in rows}

    def grow(category: Category, products: int) -> Branch:
        waiting.pop(category.id)
        children = [row for row in rows if row[0].parent_id == category.id]
        branches = tuple(grow(*row) for row in children if row[0].id in waiting)
        return Branch(category.slug, named(category, language), products, branches)

    tops = [row for row in rows if row[0].parent_id is None]
    grown = [grow(*top) for top in tops]
    while waiting:
        grown.append(grow(*next(iter(waiting.values()))))
    return tuple(grown)
