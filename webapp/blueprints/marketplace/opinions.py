"""What people say of products: favourites, reviews, questions, answers."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.blueprints.marketplace.blueprint import ID, QUESTION, blueprint, typed
from webapp.blueprints.marketplace.forms import whole
from webapp.blueprints.marketplace.looking import product_page
from webapp.services import favourites, questions, reviews
from webapp.services.errors import Invalid
from webapp.services.people import known
from webapp.web.language import gettext as _
from webapp.web.security import local
from webapp.web.shop import now, read, write
from webapp.web.viewer import login_required, viewer


@blueprint.post(f"/products/{ID}/favourite")
@login_required
def favourite(product_id: int) -> Response:
    """Keep it, or no longer."""
    who, when = known(viewer()), now()
    is_kept = write(lambda s: favourites.toggle(s, who, product_id, now=when))
    flash(_("It is among your favourites.") if is_kept else _("It is no favourite any more."))
    back = local(request.form.get("next"))
    return redirect(back or url_for(".product", product_id=product_id))


@blueprint.post(f"/products/{ID}/reviews")
@login_required
def review(product_id: int) -> Response | tuple[str, int]:
    """Say what one thinks of something bought."""
    said, who, when = typed("rating", "review"), known(viewer()), now()
    rating = whole(said["rating"])
    try:
        write(lambda s: reviews.review(s, who, product_id, rating, said["review"], now=when))
    except Invalid as invalid:
        return product_page(product_id, problems=invalid.problems, typed=said), 422
    flash(_("Thank you. Your review can be read now."))
    return redirect(url_for(".product", product_id=product_id, _anchor="reviews"))


@blueprint.post(f"/products/{ID}/questions")
@login_required
def ask(product_id: int) -> Response | tuple[str, int]:
    """Ask the seller."""
    said, who, when = typed("question"), known(viewer()), now()
    try:
        write(lambda s: questions.ask(s, who, product_id, said["question"], now=when))
    except Invalid as invalid:
        return product_page(product_id, problems=invalid.problems, typed=said), 422
    flash(_("Your question can be read now. The seller will find it."))
    return redirect(url_for(".product", product_id=product_id, _anchor="questions"))


@blueprint.post(f"/questions/{QUESTION}/answer")
@login_required
def answer(question_id: int) -> Response | tuple[str, int]:
    """Answer a question about something of one's own."""
    said, who, when = typed("answer"), known(viewer()), now()
    try:
        about = write(lambda s: questions.answer(s, who, question_id, said["answer"], now=when))
    except Invalid as invalid:
        about = read(lambda s: questions.about(s, question_id))
        wrong = {"problems": invalid.problems, "typed": said, "answering": question_id}
        return product_page(about, **wrong), 422
    flash(_("Your answer can be read now."))
    return redirect(url_for(".product", product_id=about, _anchor=f"question-{question_id}"))
