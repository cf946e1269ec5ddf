"""Answers that are kept: for as long as was said, each under its own key."""

from __future__ import annotations

from itertools import count

from tests.webapp.world import World, settings_for
from webapp import create_app
from webapp.models import Category
from webapp.web.kept import Kept


def test_an_answer_is_asked_for_again_once_it_is_too_old() -> None:
    now = [0.0]
    kept, asked = Kept(10, clock=lambda: now[0]), count()
    assert [kept.get("a", lambda: next(asked)) for _ in range(3)] == [0, 0, 0]
    now[0] = 9.9
    assert kept.get("a", lambda: next(asked)) == 0
    assert kept.get("b", lambda: next(asked)) == 1
    now[0] = 10.0
    assert kept.get("a", lambda: next(asked)) == 2


def test_with_no_seconds_nothing_is_kept() -> None:
    kept, asked = Kept(0), count()
    assert [kept.get("a", lambda: next(asked)) for _ in range(3)] == [0, 1, 2]


def test_the_tree_of_categories_is_kept_in_each_language(world: World) -> None:
    app = create_app(settings_for(world.url, categories_kept=3600))
    client = app.test_client()
    world.write(lambda s: s.add(Category(slug="light", name="Light", names={"es": "Luz"})))
    before = {lang: _names(client, lang) for lang in ("en", "es")}
    assert before == {"en": ["Light"], "es": ["Luz"]}
    world.write(lambda s: s.add(Category(slug="heat", name="Heat")))
    assert {lang: _names(client, lang) for lang in ("en", "es")} == before
    app.extensions["shop"].database.close()


def _names(client, language):  # type: ignore[no-untyped-def]
    said = client.get("/api/v1/categories", headers={"Accept-Language": language}).json
    return [one["name"] for one in said["items"]]
