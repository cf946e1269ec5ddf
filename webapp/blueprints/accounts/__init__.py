"""Accounts: joining, logging in and out, and what people keep about themselves."""

from webapp.blueprints.accounts import entering, governing, keeping, languages
from webapp.blueprints.accounts.blueprint import begin_session, blueprint
from webapp.blueprints.accounts.entering import identify

__all__ = [
    "begin_session",
    "blueprint",
    "entering",
    "governing",
    "identify",
    "keeping",
    "languages",
]
