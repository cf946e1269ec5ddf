"""Payments through Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import stripe

from webapp.money import CENT
from webapp.providers.payments import (
    Charged,
    Declined,
    Event,
    EventKind,
    EventRefused,
    ProviderTimeout,
)

_KINDS = {
    "payment_intent.succeeded": EventKind.CAPTURED,
    "payment_intent.payment_failed": EventKind.FAILED,
    "charge.refunded": EventKind.REFUNDED,
}


class StripePayments:
    """One account of Stripe's. ``base``: another address than theirs, for tests."""

    name = "stripe"

    def __init__(
        self, key: str, webhook_secret: str, *, timeout: float, base: str | None = None
    ) -> None:
        self._webhook_secret = webhook_secret
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
            "amount": int(amount / CENT),
            "currency": currency.lower(),
            "confirm": True,
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"order_id": order_id},
        }
        try:
            made = self._client.v1.payment_intents.create(asked, {"idempotency_key": key})
        except stripe.CardError as refused:
            return Declined(refused.code or "card_declined")
        except stripe.StripeError as error:
            raise ProviderTimeout from error
        return Charged(made.id) if made.status == "succeeded" else Declined(made.status)

    def refund(self, key: str, reference: str, amount: Decimal, currency: str) -> None:
        """Give it back. Raises ProviderTimeout."""
        asked: Any = {"payment_intent": reference, "amount": int(amount / CENT)}
        try:
            self._client.v1.refunds.create(asked, {"idempotency_key": f"refund-{key}"})
        except stripe.StripeError as error:
            raise ProviderTimeout from error

    def event(self, headers: Mapping[str, str], body: bytes) -> Event:
        """A message of Stripe's. Raises EventRefused."""
        try:
            said = stripe.Webhook.construct_event(
                body, headers.get("Stripe-Signature", ""), self._webhook_secret
            )
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise EventRefused from error
        thing = said.data.object
        return Event(
            id=said.id,
            kind=_KINDS.get(said.type, EventKind.OTHER),
            order_id=(getattr(thing, "metadata", None) or {}).get("order_id", ""),
            reference=thing.id,
            payload={"type": said.type, "id": said.id},
        )
