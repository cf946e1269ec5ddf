"""Frozen values to JSON and back: how the ledger keeps a whole plan."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> str:
    """A frozen dataclass as JSON text; enums by value, tuples as lists."""
    return json.dumps(_plain(value), ensure_ascii=True)


def from_json(kind: type[T], text: str) -> T:
    """The value of ``kind`` that :func:`to_json` wrote."""
    built: T = _built(kind, json.loads(text))
    return built


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _built(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        inner = next(arg for arg in get_args(kind) if arg is not NoneType)
        return None if data is None else _built(inner, data)
    if origin is tuple:
        return tuple(_built(get_args(kind)[0], item) for item in data)
    if origin is dict:
        return dict(data)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _built(hints[name], item) for name, item in data.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
