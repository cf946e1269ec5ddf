"""Questions to a seller, for all to read, and the seller's answers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Product, Question
from webapp.services.errors import Forbidden, Invalid, NotFound
from webapp.services.people import Viewer
from webapp.services.products import seen
from webapp.services.texts import paragraphs

BODY_MAX = 1000


def ask(session: Session, viewer: Viewer, product_id: int, body: str, *, now: datetime) -> None:
    """Ask the seller of a product. Raises NotFound; Forbidden: it is their own; Invalid."""
    product = seen(session, viewer, product_id)
    if product.seller_id == viewer.id:
        raise Forbidden
    said = _said(body, "question")
    session.add(Question(product_id=product_id, user_id=viewer.id, body=said, created_at=now))


def answer(session: Session, viewer: Viewer, question_id: int, body: str, *, now: datetime) -> int:
    """Answer a question about a product of theirs, or answer it anew; the product's id. Raises
    NotFound, Invalid."""
    question = session.scalar(
        select(Question)
        .join(Product, Product.id == Question.product_id)
        .where(Question.id == question_id, Product.seller_id == viewer.id)
    )
    if question is None:
        raise NotFound
    question.answer, question.answered_at = _said(body, "answer"), now
    return question.product_id


def about(session: Session, question_id: int) -> int:
    """The product that a question is about. Raises NotFound."""
    question = session.get(Question, question_id)
    if question is None:
        raise NotFound
    return question.product_id


def _said(body: str, field: str) -> str:
    said = paragraphs(body)
    if not said:
        raise Invalid({field: "missing"})
    if len(said) > BODY_MAX:
        raise Invalid({field: "too_long"})
    return said
