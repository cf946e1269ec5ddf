"""The web side of the shop: pages and the API. Each blueprint turns requests into calls of
services, and their answers into pages. It refuses to hold rules.
"""

from __future__ import annotations

from flask import Flask

from webapp.blueprints import accounts, api, marketplace, orders


def install(app: Flask) -> None:
    """All of them."""
    for package in (accounts, marketplace, orders, api):
        app.register_blueprint(package.blueprint)
