"""Every sentence that people see is there in both languages, and says the same facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tests.webapp.world import REPOSITORY, World
from webapp.web.language import FOLDER, LANGUAGES

SHOP = REPOSITORY / "webapp"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
FACT = re.compile(r"%\(\w+\)[sd]")


@cache
def sentences() -> frozenset[str]:
    """All that the code and the pages say."""
    found = extract_from_dir(
        str(SHOP),
        METHODS,
        {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}},
        {"_": None, "gettext": None, "ngettext": (1, 2)},
    )
    said: set[str] = set()
    for _file, _line, message, _comments, _context in found:
        said |= set(message) if isinstance(message, tuple) else {message}
    return frozenset(said)


def spanish() -> Iterator[tuple[Path, str, str]]:
    for file in sorted((FOLDER / "es").glob("*.po")):
        with file.open("rb") as text:
            for message in read_po(text, locale="es"):
                ids, there = message.id, message.string
                pairs = zip(ids, there, strict=True) if isinstance(ids, tuple) else [(ids, there)]
                yield from ((file, str(said), str(other)) for said, other in pairs if said)


def test_there_is_something_to_say() -> None:
    assert len(sentences()) > 200


def test_every_sentence_is_there_in_spanish() -> None:
    assert sentences() - {said for _, said, there in spanish() if there} == set()


def test_nothing_is_kept_that_nobody_says() -> None:
    assert {said for _, said, _ in spanish()} - sentences() == set()


def test_both_name_the_same_facts() -> None:
    wrong = [s for _, s, t in spanish() if sorted(FACT.findall(s)) != sorted(FACT.findall(t))]
    assert wrong == []


def test_a_sentence_has_one_translation() -> None:
    found: dict[str, set[str]] = {}
    for _, said, there in spanish():
        found.setdefault(said, set()).add(there)
    assert {said: there for said, there in found.items() if len(there) > 1} == {}


@pytest.mark.parametrize(
    ("accepts", "cookie", "shown"),
    [("es-MX,en;q=0.5", None, "es"), ("de", None, "en"), ("en", "es", "es"), ("es", "xx", "es")],
)
def test_the_language_is_the_one_chosen_or_the_browsers(
    world: World, accepts: str, cookie: str | None, shown: str
) -> None:
    client = world.client()
    if cookie:
        client.set_cookie("shop-language", cookie)
    page = client.get("/login", headers={"Accept-Language": accepts}).text
    assert f'<html lang="{shown}">' in page
    assert ("Entrar" in page) == (shown == "es")


def test_a_choice_is_kept_and_leads_back(world: World) -> None:
    client = world.client()
    answer = client.post("/language", data={"language": "es", "next": "/login"})
    assert answer.location == "/login"
    assert '<html lang="es">' in client.get("/login").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_account_may_have_a_language_of_its_own(world: World, language: str) -> None:
    client = world.client(world.user(language=language))
    assert f'<html lang="{language}">' in client.get("/cart").text
