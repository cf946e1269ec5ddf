"""What the pages say of a field that cannot be used, by the problem's id."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.models import Role
from webapp.web.language import gettext


def _(sentence: str) -> str:
    """Marks a sentence for the translators."""
    return sentence


SENTENCES = {
    "email_invalid": _("This is no mail address."),
    "email_taken": _("There is an account with this address. Did you forget the password?"),
    "username_invalid": _("Two to forty letters from a to z, digits, dots and dashes."),
    "username_taken": _("Somebody else has this name."),
    "password_too_short": _("At least eight characters."),
    "password_too_long": _("At most 128 characters."),
    "password_common": _("This is one of the passwords that are tried first."),
    "password_wrong": _("This is not your password."),
    "name_too_long": _("At most 200 characters."),
    "login_wrong": _("No account has this name and this password."),
}

ROLES = {Role.USER: _("buys"), Role.SELLER: _("buys and sells"), Role.ADMIN: _("governs")}


def sentences(problems: Mapping[str, str]) -> dict[str, str]:
    """The sentence of each field in the viewer's language."""
    return {field: gettext(SENTENCES[id_]) for field, id_ in problems.items()}
