"""What the shop tells whoever runs it: log lines, numbers, errors. It refuses to know what
the shop sells, and to tell a secret.

``begin`` is for the process, once; ``requests.install`` for each application in it.
"""

from __future__ import annotations

from webapp.observe import errors, logging, requests
from webapp.observe.redaction import Redaction
from webapp.settings import Settings

install = requests.install


def begin(settings: Settings) -> None:
    """Records become lines on stderr and, where there is a DSN, errors go to Sentry."""
    redaction = Redaction.of(settings)
    logging.begin(settings.log_level, settings.log_format, redaction)
    errors.begin(settings, redaction)


__all__ = ["Redaction", "begin", "install"]
