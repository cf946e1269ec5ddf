"""English and Spanish: sentences by gettext, dates and prices by Babel.

Templates and views say sentences in English, with ``_()``; ``translations/es/*.po`` has the
Spanish ones, one file for each blueprint. They are read as they are, when the application
starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from flask import Flask, g, has_request_context, request

from webapp.web.viewer import viewer

LANGUAGES = ("en", "es")
COOKIE = "shop-language"
FOLDER = Path(__file__).parent.parent / "translations"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The sentences of a language by their English ones; empty for English itself."""
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.po")):
        with file.open("rb") as text:
            for message in read_po(text, locale=language):
                pairs = zip(_each(message.id), _each(message.string), strict=False)
                found.update({said: there for said, there in pairs if said and there})
    return found


def _each(said: object) -> tuple[str, ...]:
    """The forms of a message: one, or those for one and for many."""
    return tuple(map(str, said)) if isinstance(said, tuple | list) else (str(said or ""),)


def language() -> str:
    """The language of the answer: the one chosen, the account's, or the browser's."""
    if not has_request_context():
        return LANGUAGES[0]
    if "language" not in g:
        chosen = request.cookies.get(COOKIE)
        who = viewer()
        chosen = chosen or (who.language if who else None)
        if chosen not in LANGUAGES:
            chosen = _accepted()
        g.language = chosen or LANGUAGES[0]
    return str(g.language)


def _accepted() -> str | None:
    """What the browser would rather have: of es-MX, Spanish."""
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((one for one in wanted if one in LANGUAGES), None)


def gettext(sentence: str, **facts: object) -> str:
    """The sentence in the answer's language; ``%(name)s`` stands for a fact."""
    said = catalogue(language()).get(sentence, sentence)
    return said % facts if facts else said


def ngettext(one: str, many: str, n: int, **facts: object) -> str:
    """The sentence for ``n`` things; both languages tell one from all other numbers."""
    return gettext(one if n == 1 else many, n=n, **facts)


def price(amount: Decimal, currency: str) -> str:
    """An amount as the language writes it."""
    return _price(amount, currency, language())


@lru_cache(20_000)  # writing one takes longer than reading it from the database
def _price(amount: Decimal, currency: str, spoken: str) -> str:
    return format_currency(amount, currency, locale=spoken)


def number(amount: float, digits: int = 10) -> str:
    """A number as the language writes it, to so many digits after the point, ungrouped."""
    return _number(amount, digits, language())


@lru_cache(5_000)
def _number(amount: float, digits: int, spoken: str) -> str:
    return format_decimal(amount, "0." + "#" * digits, locale=spoken)


def moment(when: datetime) -> str:
    """A moment as the language writes it, in UTC."""
    return format_datetime(when, "medium", locale=language()) + " UTC"


def install(app: Flask) -> None:
    """Templates have ``_()``, ``{% trans %}``, and the filters ``price`` and ``moment``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext,
        # Templates put the facts into the sentence themselves.
        lambda one, many, n: gettext(one if n == 1 else many),
        newstyle=True,
    )
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["price"] = price
    app.context_processor(lambda: {"language": language(), "languages": LANGUAGES})


__all__ = [
    "LANGUAGES",
    "catalogue",
    "gettext",
    "install",
    "language",
    "moment",
    "ngettext",
    "number",
    "price",
]
