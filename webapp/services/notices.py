"""Letters about accounts, in the language of whoever gets them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from webapp.models import User
from webapp.services.outbox import put_mail

Notice: TypeAlias = Mapping[str, tuple[str, str]]
"""A letter by language: its subject and its body."""

FORGOTTEN: Notice = {
    "en": (
        "A new password",
        """%(name)s, somebody asked for a new password for your account.
If it was you, choose one within the hour: %(link)s
If it was not, do nothing.
""",
    ),
    "es": (
        "Una contraseña nueva",
        """%(name)s, alguien ha pedido una contraseña nueva para tu cuenta.
Si has sido tú, elígela antes de una hora: %(link)s
Si no, no hagas nada.
""",
    ),
}
PASSWORD_CHANGED: Notice = {
    "en": (
        "Your password has changed",
        """%(name)s, your account has a new password.
If it was not you, ask for another one at once: “Forgot the password?” under Log in.
""",
    ),
    "es": (
        "Tu contraseña ha cambiado",
        """%(name)s, tu cuenta tiene una contraseña nueva.
Si no has sido tú, pide otra enseguida: «¿Olvidaste la contraseña?» en Entrar.
""",
    ),
}
ADDRESS_CHANGED: Notice = {
    "en": (
        "Your mail address has changed",
        """%(name)s, letters about your account go to another address from now on.
If it was not you, answer this letter at once.
""",
    ),
    "es": (
        "Tu dirección de correo ha cambiado",
        """%(name)s, desde ahora las cartas sobre tu cuenta van a otra dirección.
Si no has sido tú, responde enseguida a esta carta.
""",
    ),
}


def leave(session: Session, user: User, notice: Notice, *, now: datetime, **facts: str) -> None:
    """Leave it to be sent to somebody. ``facts``: what its body names."""
    subject, body = notice.get(user.language or "") or notice["en"]
    name = user.display_name or user.username
    put_mail(session, user.email, subject, body % {"name": name, **facts}, now=now)
