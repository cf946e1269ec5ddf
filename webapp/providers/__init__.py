"""Other systems that the shop calls: one that takes money, one that carries mail.

Each is a protocol with a real and a local implementation, chosen by the environment. They
refuse to know tables: they are given what to send and answer what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from webapp.providers.fake_payments import FakePayments
from webapp.providers.mail import ConsoleMail, Letter, MailProvider, MailRefused, SmtpMail
from webapp.providers.payments import (
    Charged,
    Declined,
    Event,
    EventKind,
    EventRefused,
    PaymentProvider,
    ProviderTimeout,
)
from webapp.settings import Settings

__all__ = [
    "Charged",
    "ConsoleMail",
    "Declined",
    "Event",
    "EventKind",
    "EventRefused",
    "FakePayments",
    "Letter",
    "MailProvider",
    "MailRefused",
    "PaymentProvider",
    "ProviderTimeout",
    "Providers",
    "SmtpMail",
    "providers",
]


@dataclass(frozen=True)
class Providers:
    """Whom the shop calls."""

    payments: PaymentProvider
    mail: MailProvider


def providers(settings: Settings) -> Providers:
    """Those that the settings name. It calls nobody."""
    return Providers(_payments(settings), _mail(settings))


def _payments(settings: Settings) -> PaymentProvider:
    if settings.payments == "fake":
        secret = settings.secret_key.get_secret_value()
        return FakePayments(settings.fake_payments, secret, settings.fake_payments_file)
    # An extra: a shop that takes no money through it does not need it.
    from webapp.providers.stripe_payments import StripePayments  # noqa: PLC0415

    assert settings.stripe_key is not None
    assert settings.stripe_webhook_secret is not None
    return StripePayments(
        settings.stripe_key.get_secret_value(),
        settings.stripe_webhook_secret.get_secret_value(),
        timeout=settings.payment_timeout,
    )


def _mail(settings: Settings) -> MailProvider:
    if settings.mail == "console":
        return ConsoleMail()
    assert settings.smtp_host is not None
    password = settings.smtp_password
    return SmtpMail(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
    )
