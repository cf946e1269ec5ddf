"""Mail: over SMTP, or, in development, to the console."""

from __future__ import annotations

import smtplib
import ssl
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol, TextIO

TIMEOUT_SECONDS = 10


class MailRefused(Exception):
    """The letter was not taken. The text says how the server put it, without the letter."""


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
        print(f"mail to {letter.to}: {letter.subject}\n{letter.body}", file=self._out, flush=True)


@dataclass(frozen=True, kw_only=True)
class SmtpMail:
    """A mail server. ``security``: starttls, tls or none."""

    host: str
    port: int
    sender: str
    security: str
    user: str | None = None
    password: str | None = None

    def send(self, letter: Letter) -> None:
        """Hand it to the server. Raises MailRefused."""
        try:
            with self._connected() as server:
                server.send_message(self._message(letter))
        except (OSError, smtplib.SMTPException) as error:
            raise MailRefused(type(error).__name__) from error

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, letter.to, letter.subject
        message["Message-ID"] = f"<{letter.id}@{self.sender.rpartition('@')[2]}>"
        message.set_content(letter.body)
        return message

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.security == "starttls":
            server.starttls(context=context)
        if self.user and self.password:
            server.login(self.user, self.password)
        return server
