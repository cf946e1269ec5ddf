"""Mail: over SMTP, or, in development, to the console."""

from __future__ import annotations

import smtplib
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol, TextIO

TIMEOUT_SECONDS = 10


class MailRefused(Exception):
    """The letter was not taken. The text says how it ended, without the letter."""


@dataclass(frozen=True)
class Letter:
    """One letter. ``id`` makes its Message-ID: two of one id are one to whoever reads."""

    id: str
    to: str
    subject: str
    body: str


class MailProvider(Protocol):
    """Carries letters."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over. Raises MailRefused."""


class ConsoleMail:
    """Prints letters: for development."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr

    def send(self, letter: Letter) -> None:
        """Print it."""
        self._out.write(f"mail to {letter.to}: {letter.subject}\n{letter.body}\n")
        self._out.flush()


@dataclass(frozen=True, kw_only=True)
class SmtpMail:
    """A mail server. ``security``: starttls, tls or none; the first two check whose
    certificate it is."""

    host: str
    port: int
    sender: str
    security: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def send(self, letter: Letter) -> None:
        """Hand it to the server. Raises MailRefused."""
        try:
            with self._connected() as server:
                server.send_message(self._message(letter))
        except (OSError, ValueError, smtplib.SMTPException) as error:
            raise MailRefused(_said(error)) from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, letter.to, letter.subject
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{letter.id}@{self.sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"  # nobody's absence is told to us
        message.set_content(letter.body)
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        context = ssl.create_default_context()
        with self._connection(context) as server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user and self.password:
                server.login(self.user, self.password)
            yield server

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)


def _said(error: Exception) -> str:
    """The kind of error and the server's code; its words may repeat an address."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ + (f" {code}" if code else "")
