"""Payments through Stripe. It is given a payment method that Stripe already holds: no card
number ever comes near the shop."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import stripe

from webapp.providers.payments import (
    Charged,
    Declined,
    Event,
    EventKind,
    EventRefused,
    ProviderTimeout,
)

TEST_CARD = "pm_card_visa"
"""Stripe's own, good in test mode alone."""
_KINDS = {
    "payment_intent.succeeded": EventKind.CAPTURED,
    "payment_intent.payment_failed": EventKind.FAILED,
    "charge.refunded": EventKind.REFUNDED,
}
_NO_SUCH_MONEY = ("requires_payment_method", "requires_action", "canceled")


class StripePayments:
    """One account of Stripe's. ``base``: another address than theirs, for tests."""

    name = "stripe"

    def __init__(
        self,
        key: str,
        webhook_secret: str,
        *,
        timeout: float,
        base: str | None = None,
        payment_method: str = TEST_CARD,
    ) -> None:
        self._webhook_secret, self._payment_method = webhook_secret, payment_method
        addresses: Any = {"api": base} if base else None
        self._client = stripe.StripeClient(
            key,
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=0,  # the outbox tries again, and knows for how long
            **({"base_addresses": addresses} if addresses else {}),
        )

    def charge(
        self, key: str, amount: Decimal, currency: str, *, order_id: str
    ) -> Charged | Declined:
        """Take an amount. Raises ProviderTimeout."""
        asked: Any = {
            "amount": _cents(amount),
            "currency": currency.lower(),
            "confirm": True,
            "payment_method": self._payment_method,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"order_id": order_id, "key": key},
        }
        try:
            made = self._client.v1.payment_intents.create(asked, {"idempotency_key": key})
        except stripe.CardError as refused:
            return Declined(refused.code or "card_declined")
        except stripe.StripeError as error:
            raise ProviderTimeout(type(error).__name__) from error
        if made.status in _NO_SUCH_MONEY:
            return Declined(made.status)
        if made.status != "succeeded":
            raise ProviderTimeout(made.status)
        return Charged(made.id)

    def refund(self, key: str, reference: str, amount: Decimal, currency: str) -> None:
        """Give it back. Raises ProviderTimeout."""
        asked: Any = {"payment_intent": reference, "amount": _cents(amount)}
        try:
            self._client.v1.refunds.create(asked, {"idempotency_key": f"refund-{key}"})
        except stripe.StripeError as error:
            if error.code == "charge_already_refunded":
                return
            raise ProviderTimeout(type(error).__name__) from error

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """A message of Stripe's. Raises EventRefused."""
        try:
            said = stripe.Webhook.construct_event(
                body, headers.get("Stripe-Signature", ""), self._webhook_secret
            )
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise EventRefused from error
        thing = said.data.object
        told = thing.metadata.to_dict() if getattr(thing, "metadata", None) else {}
        return Event(
            id=said.id,
            kind=_KINDS.get(said.type, EventKind.OTHER),
            order_id=told.get("order_id", ""),
            key=told.get("key", ""),
            reference=getattr(thing, "payment_intent", None) or thing.id,
            payload={"type": said.type, "id": said.id},
        )


def _cents(amount: Decimal) -> int:
    """An amount in the smallest unit; all our currencies have two digits."""
    return int(amount * 100)
