"""Every sentence a person sees, in English and Spanish, by id and parameters.

The catalogue is the TOML files beside this module, one per topic. An entry is a
table with a key per language, so that a translation stands next to its original::

    [error.source_missing]
    en = "There is no file at {path}."
    es = "No hay ningún archivo en {path}."

Placeholders are filled with :meth:`str.format`. A test holds both languages
complete and their placeholders equal.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

LANGUAGES = ("en", "es")


def say(sentence_id: str, language: str = "en", /, **parameters: object) -> str:
    """The sentence ``sentence_id`` in ``language``, its placeholders filled.

    Raises KeyError for an id or a parameter the catalogue does not have: that
    is a defect of ours, never of the user's.
    """
    return catalogue()[sentence_id][language].format(**parameters)


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All entries: id -> language -> template."""
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            _gather("", tomllib.loads(file.read_text(encoding="utf-8")), entries)
    return MappingProxyType(entries)


def _gather(path: str, table: Mapping[str, object], entries: dict[str, dict[str, str]]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _gather(f"{path}.{key}" if path else key, value, entries)
        elif isinstance(value, str):
            entries.setdefault(path, {})[key] = value
