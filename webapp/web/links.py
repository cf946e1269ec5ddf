"""Addresses within the shop: built once for each thing, since a page of a catalogue has a hundred."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, request, url_for

MOST = 20_000


def link(endpoint: str, **values: Any) -> str:
    """What Flask's ``url_for`` answers. Of an endpoint by its whole name, with plain values and
    no options, it does not depend on the request, except on where the shop is mounted."""
    plain = all(type(value) in (int, str) and name[0] != "_" for name, value in values.items())
    if endpoint.startswith(".") or not plain:
        return url_for(endpoint, **values)
    typed = tuple((name, type(value), value) for name, value in values.items())
    return _built(request.host_url, request.script_root, endpoint, typed)


@lru_cache(MOST)
def _built(_host: str, _root: str, endpoint: str, values: tuple[tuple[str, type, Any], ...]) -> str:
    return url_for(endpoint, **{name: value for name, _, value in values})


def install(app: Flask) -> None:
    """Templates have it under the name that they know."""
    app.jinja_env.globals["url_for"] = link
