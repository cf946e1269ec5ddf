"""Errors, sent to Sentry where a DSN is given: what went wrong and where in the code, not
what people typed, carried or looked at.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import sentry_sdk
from flask import g, has_request_context, request
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.logging import LoggingIntegration

from webapp.observe.redaction import Redaction
from webapp.settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def begin(settings: Settings, redaction: Redaction) -> None:
    """Records of ERROR and above are sent, with their traces; nothing without a DSN."""
    if settings.sentry_dsn is None:
        return

    def scrubbed(event: Event, _hint: Hint) -> Event:
        return redaction.value(told(event))  # type: ignore[no-any-return]

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=settings.release,
        environment=settings.app_env.value,
        before_send=scrubbed,
        send_default_pii=False,
        include_local_variables=False,  # a frame of a login holds its password
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        auto_enabling_integrations=False,
        disabled_integrations=[ArgvIntegration()],
        integrations=[
            FlaskIntegration(transaction_style="url"),
            LoggingIntegration(level=None, event_level=logging.ERROR),
        ],
    )


def told(event: Any) -> Any:
    """The event with nothing of its request but the method, the route's template (an address
    may hold a token) and the names of the request and of whoever asked."""
    event.pop("request", None)
    event.pop("user", None)
    event.get("logentry", {}).pop("params", None)  # they stand in the sentence, redacted there
    if has_request_context():
        route = request.url_rule.rule if request.url_rule else "unmatched"
        event["request"] = {"method": request.method, "url": route}
        event.setdefault("tags", {})["request_id"] = g.get("request_id", "")
        if (viewer := g.get("viewer")) is not None:
            event["user"] = {"id": str(viewer.id)}
    return event
