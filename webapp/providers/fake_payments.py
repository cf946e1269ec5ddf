"""Payments that move no money, and fail as told: for development and tests.

What it does depends on nothing but the behaviour it is given, the key, and how often it was
asked for it: ``works``, ``declines``, ``times_out`` (nothing is charged, ever),
``charges_then_times_out`` (the first time for each key: charged, but nobody hears of it).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from threading import Lock

from webapp.providers.payments import (
    Charged,
    Declined,
    Event,
    EventKind,
    EventRefused,
    ProviderTimeout,
)

BEHAVIOURS = ("works", "declines", "times_out", "charges_then_times_out")
SIGNATURE = "X-Fake-Signature"


class FakePayments:
    """``charges`` and ``refunds``: what moved, by key: the provider's own books."""

    name = "fake"

    def __init__(self, behaviour: str, secret: str) -> None:
        self.behaviour = behaviour
        self.charges: dict[str, Decimal] = {}
        self.refunds: dict[str, Decimal] = {}
        self._secret, self._lock = secret.encode(), Lock()

    def charge(
        self,
        key: str,
        amount: Decimal,
        currency: str,
        *,
        order_id: str,
    ) -> Charged | Declined:
        """As the behaviour says. Raises ProviderTimeout."""
        with self._lock:
            is_known = key in self.charges
            if self.behaviour == "times_out":
                raise ProviderTimeout
            if self.behaviour == "declines":
                return Declined("card_declined")
            self.charges[key] = amount
            if self.behaviour == "charges_then_times_out" and not is_known:
                raise ProviderTimeout
        return Charged(_reference(key))

    def refund(
        self,
        key: str,
        reference: str,
        amount: Decimal,
        currency: str,
    ) -> None:
        """Once for each key. Raises ProviderTimeout."""
        if self.behaviour == "times_out":
            raise ProviderTimeout
        self.refunds[key] = amount

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """A message that :meth:`signed` made. Raises EventRefused."""
        if not hmac.compare_digest(headers.get(SIGNATURE, ""), self._signature(body)):
            raise EventRefused
        said = json.loads(body)
        return Event(
            id=said["id"],
            kind=EventKind(said["kind"]),
            order_id=said["order_id"],
            reference=said["reference"],
            payload=said,
        )

    def signed(self, event_id: str, kind: EventKind, order_id: str) -> tuple[dict[str, str], bytes]:
        """The headers and the body of a message, as this provider would send it."""
        said = {
            "id": event_id,
            "kind": kind.value,
            "order_id": order_id,
            "reference": _reference(order_id),
        }
        body = json.dumps(said).encode()
        return {SIGNATURE: self._signature(body)}, body

    def _signature(self, body: bytes) -> str:
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()


def _reference(key: str) -> str:
    return f"fake-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
