"""Accounts: joining, logging in and out, and what people keep about themselves."""

from webapp.blueprints.accounts.routes import blueprint

__all__ = ["blueprint"]
