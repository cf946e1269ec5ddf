"""The page: whole in itself, in both languages, harmless whatever the source holds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.assess.page import Letterhead, page
from core.plan import NO_CHOICES, Acceptance, Choices
from tests.assess.assessing import assessed

NASTY = "<script>alert('x')</script>"
SOURCE = f"""
CREATE TABLE "{NASTY}" ("a&b" INTEGER, "q" INTEGER);
INSERT INTO "{NASTY}" VALUES (1, 2), ('<img src=x onerror=alert(1)>', 3), (2, 3);
CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, s TEXT);
INSERT INTO t VALUES (1, 1700000000, 'secret'), (2, 1700000001, char(0));
CREATE VIEW v AS SELECT '</code></style>' AS a FROM t;
"""
_VOID = {"meta", "input"}


class Outline(HTMLParser):
    """Tags, what they refer to, and the texts of each language."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: dict[str | None, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append((tag, dict(attrs).get("lang")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        language = next((lang for tag, lang in reversed(self.open) if lang and tag != "html"), None)
        self.texts.setdefault(language, []).append(data)


def outlined(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    assert outline.open == []
    return outline


def made(folder: Path, *, reveal: bool = False, choices: Choices = NO_CHOICES) -> str:
    head = Letterhead(source=NASTY, version="1", at=datetime(2024, 1, 2, tzinfo=UTC), reveal=reveal)
    return page(assessed(SOURCE, folder, choices).assessment, head)


def test_it_takes_nothing_from_elsewhere_and_runs_nothing(tmp_path: Path) -> None:
    html = made(tmp_path)
    outline = outlined(html)

    assert {"script", "link", "img", "iframe", "a"}.isdisjoint(outline.tags)
    names = {name for name, _ in outline.attributes}
    assert not [n for n in names if n.startswith("on") or n in ("src", "href", "style")]
    assert not re.search(r"url\(|@import|https?://", html)


def test_what_the_source_holds_is_only_text(tmp_path: Path) -> None:
    html = made(tmp_path, reveal=True)

    said = "".join(text for texts in outlined(html).texts.values() for text in texts)
    assert NASTY in said
    assert "<img src=x onerror=alert(1)>" in said
    assert "</code></style>" in said


def test_both_languages_say_as_much(tmp_path: Path) -> None:
    texts = outlined(made(tmp_path)).texts

    assert len(texts["en"]) == len(texts["es"]) > 50
    assert any("What wants a decision" in text for text in texts["en"])
    assert any("Qué pide una decisión" in text for text in texts["es"])


def test_it_can_be_read_aloud(tmp_path: Path) -> None:
    html = made(tmp_path)
    outline = outlined(html)

    assert outline.tags.count("h1") == 1
    assert outline.tags.count("table") == outline.tags.count("caption") >= 3
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert {"main", "h2", "th", "legend"} <= set(outline.tags)
    assert ("scope", "col") in outline.attributes


@pytest.mark.parametrize("reveal", [False, True])
def test_values_are_seen_only_when_asked_for(reveal: bool, tmp_path: Path) -> None:
    html = made(tmp_path, reveal=reveal)

    assert ("2023-11-14 22:13:20" in html) == reveal
    assert ("onerror" in html) == reveal
    assert "secret" not in html  # nothing is the matter with it


def test_a_reason_is_on_it(tmp_path: Path) -> None:
    reason = "the <b>shop</b> is closed"
    choices = Choices(
        accepted=(Acceptance(finding="text.nul", object="t.s", reason=reason),),
        suppressed=(Acceptance(finding="table.no_key", object="", reason="known"),),
    )
    html = made(tmp_path, choices=choices)

    assert "Accepted: the &lt;b&gt;shop&lt;/b&gt; is closed" in html
    assert "Findings that the plan suppresses: 1." in html
    assert "table.no_key" not in html
