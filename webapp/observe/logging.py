"""Log records as lines on stderr: JSON for programs, text for people.

Records of the standard library and of structlog are told alike; each is one line, whatever
its values hold, and none holds a secret.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from flask import g, has_request_context
from structlog.typing import EventDict, Processor

from webapp.observe.redaction import Redaction

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BAD = '{"event": "a record could not be written", "level": "error"}\n'


class Lines(logging.StreamHandler[TextIO]):
    """Whatever stderr is when a record comes, in a line of its own."""

    def __init__(self, formatter: logging.Formatter) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(formatter)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Where the lines go."""
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        """A record that cannot be written may hold anything: nothing of it is shown."""
        self.stream.write(_BAD)


def begin(level: str, form: str, redaction: Redaction) -> None:
    """From now on, records of ``level`` and above become lines. Doing it again changes how."""
    root = logging.getLogger()
    for handler in [held for held in root.handlers if isinstance(held, Lines)]:
        root.removeHandler(handler)
    root.addHandler(Lines(formatter(form, redaction)))
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*_facts(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def formatter(form: str, redaction: Redaction) -> logging.Formatter:
    """Makes the line of a record. ``form``: ``json`` or ``text``."""

    def without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {key: redaction.value(value, key) for key, value in event.items()}

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_facts(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer(default=str) if form == "json" else as_text,
        ],
    )


def as_text(_logger: Any, _method: str, event: EventDict) -> str:
    """For people: when, how grave, what, then the facts; a trace comes below."""
    trace = str(event.pop("exception", ""))
    head = [str(event.pop(key, "")) for key in ("time", "level", "event")]
    facts = [f"{key}={value}" for key, value in event.items()]
    line = " ".join(map(one_line, [*head, *facts]))
    return "\n    ".join([line, *map(one_line, trace.splitlines())])


def one_line(text: str) -> str:
    """The text with its control characters spelled out, which a terminal would obey."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _facts() -> list[Processor]:
    """What every record is told with."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _whose,
    ]


def _whose(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Who asked, if the request's handler has found out."""
    viewer = g.get("viewer") if has_request_context() else None
    if viewer is not None:
        event.setdefault("user_id", viewer.id)
    return event
