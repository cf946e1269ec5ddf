"""How a finding is said: its meaning, its facts, its remedy; values masked unless asked for."""

from __future__ import annotations

from collections.abc import Mapping

from core.assess.catalogue import CATALOGUE
from core.assess.effort import MINUTES_A_DAY
from core.assess.model import Finding
from core.source.rows import SqliteValue
from core.values.storage import raw_bytes, shown_key, storage_class
from core.words import catalogue, say

_OF_A_VALUE = "rendered"
_LONGEST = 60
_LONGEST_TEXT = 200


def means(found: Finding, language: str, *, longest: int = _LONGEST_TEXT) -> str:
    """What a finding means, in one sentence without its full stop; a fact that is longer is
    cut off."""
    facts = {n: f if len(f) <= longest else f[: longest - 1] + "…" for n, f in found.facts.items()}
    return say(CATALOGUE[found.id].sentence_id, language, **facts)


def remedy(found: Finding, language: str) -> str:
    """What to do about a finding."""
    return say(CATALOGUE[found.id].remedy_id, language, **found.facts)


def facts_said(found: Finding, *, reveal: bool) -> Mapping[str, str]:
    """The facts that its sentence does not name already, by the words' id ``fact.<name>``."""
    template = catalogue()[CATALOGUE[found.id].sentence_id]["en"]
    return {
        name: _masked(fact) if name == _OF_A_VALUE and not reveal else fact[:_LONGEST_TEXT]
        for name, fact in found.facts.items()
        if fact and f"{{{name}}}" not in template and f"fact.{name}" in catalogue()
    }


def samples_said(found: Finding, *, reveal: bool) -> list[str]:
    """The values found at the sample keys: as they are, or their storage class and length."""
    return [_shown(v) if reveal else _hidden(v) for v in found.samples if v is not None]


def _masked(said: str) -> str:
    return "•" * min(len(said), 3)


def _shown(value: SqliteValue) -> str:
    return shown_key([value])[:_LONGEST]


def _hidden(value: SqliteValue) -> str:
    return f"{storage_class(value)}({len(raw_bytes(value))})"


def work(minutes: int, language: str) -> str:
    """So many minutes of work, in the unit that people would use."""
    if minutes < 90:
        return say("assess.effort.minutes", language, minutes=minutes)
    if minutes < 2 * MINUTES_A_DAY:
        return say("assess.effort.hours", language, hours=_tenths(minutes / 60))
    return say("assess.effort.days", language, days=_tenths(minutes / MINUTES_A_DAY))


def _tenths(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
