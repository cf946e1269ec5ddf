"""Carts, orders and payments."""

from webapp.blueprints.orders.routes import blueprint

__all__ = ["blueprint"]
