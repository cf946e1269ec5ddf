"""The blueprint that the routes of this package are on."""

from __future__ import annotations

from babel.numbers import format_decimal
from flask import Blueprint, request

from webapp.blueprints.marketplace.sentences import PROBLEMS, STATES
from webapp.models import ProductState
from webapp.web.language import gettext, language

blueprint = Blueprint("marketplace", __name__)

ID = "<int(max=9223372036854775807):product_id>"
NUMBER = "<int(max=2147483647):number>"
QUESTION = "<int(max=9223372036854775807):question_id>"
"""Numbers of rows, in paths. Greater ones are nobody's: neither engine can look for them."""


@blueprint.app_template_filter("mean")
def mean(average: float) -> str:
    """An average rating as the language writes it, to one digit."""
    return format_decimal(average, "0.0", locale=language())


@blueprint.app_template_filter("problem")
def problem(id_: str | None) -> str | None:
    """What to say about a field."""
    return gettext(PROBLEMS[id_]) if id_ else None


@blueprint.app_template_filter("state")
def state(which: ProductState) -> str:
    """What to call the state of a product."""
    return gettext(STATES[which])


def typed(*names: str) -> dict[str, str]:
    """What the form was sent with, under these names alone. Browsers end lines with two signs."""
    return {name: request.form.get(name, "").replace("\r\n", "\n") for name in names}
