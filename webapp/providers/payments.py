"""Taking money: what the shop asks of whoever does it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol


class ProviderTimeout(Exception):
    """No answer in time, or none that says what happened: whether money moved is not known.
    Ask again under the same key. The text, if any, is fit for a log."""


class EventRefused(Exception):
    """What claims to be an event of the provider's is none: its signature does not fit."""


@dataclass(frozen=True)
class Charged:
    """The money is there, under the provider's ``reference``."""

    reference: str


@dataclass(frozen=True)
class Declined:
    """The buyer's bank will not. ``reason``: a word of the provider's, nothing secret."""

    reason: str


class EventKind(enum.StrEnum):
    """What an event says of a charge."""

    CAPTURED = "captured"
    FAILED = "failed"
    REFUNDED = "refunded"
    OTHER = "other"


@dataclass(frozen=True)
class Event:
    """Something that a provider tells by itself. ``order_id`` and ``key``: as it was told with
    the charge, or empty."""

    id: str
    kind: EventKind
    order_id: str
    key: str
    reference: str
    payload: Mapping[str, Any]


class PaymentProvider(Protocol):
    """Takes money once for each key, however often it is asked."""

    name: str

    def charge(
        self, key: str, amount: Decimal, currency: str, *, order_id: str
    ) -> Charged | Declined:
        """Take an amount. Raises ProviderTimeout."""

    def refund(self, key: str, reference: str, amount: Decimal, currency: str) -> None:
        """Give back what was charged under ``key``, once. Raises ProviderTimeout."""

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """What a message says. Raises EventRefused."""
