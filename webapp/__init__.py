"""The shop: a marketplace where people buy from each other. Accounts, catalogue, orders.

It lives on SQLite or on PostgreSQL, as its environment says, and refuses to know Mudanza: it
imports nothing of ``core``, honours a read-only answer of its database and a route file, and
would do so for any mover.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import blueprints, observe
from webapp.database import Database, Route, make_engine
from webapp.settings import Settings, read_settings
from webapp.web import converters, errors, health, language, links, security, viewer
from webapp.web.shop import EXTENSION, Shop

MEMORY_BYTES_MAX = 64 * 1024
"""Of a form's fields that are not files."""


def create_app(
    settings: Settings | None = None, *, clock: Callable[[], datetime] | None = None
) -> Flask:
    """The application for ``settings``, by default those of the environment.

    It connects to nothing. Raises SettingsRefused and RouteUnreadable.
    """
    settings = settings or read_settings()
    app = Flask(__name__)
    app.config.update(_configuration(settings))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    database = open_database(settings)
    app.extensions[EXTENSION] = Shop(settings, database, clock)
    observe.install(app, settings, database)
    converters.install(app)
    security.install(app, settings)
    viewer.install(app)
    language.install(app)
    links.install(app)
    errors.install(app)
    app.register_blueprint(health.blueprint)
    blueprints.install(app)
    return app


def open_database(settings: Settings) -> Database:
    """The databases that the settings name. It connects to none. Raises RouteUnreadable."""
    route = Route(settings.database_route_file, settings.databases)
    engines = {name: make_engine(url, settings) for name, url in settings.databases.items()}
    return Database(engines, route)


def _configuration(settings: Settings) -> dict[str, object]:
    previous = settings.secret_key_previous
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SECRET_KEY_FALLBACKS": [previous.get_secret_value()] if previous else [],
        "SESSION_COOKIE_NAME": "__Host-shop-form" if settings.secure_cookies else "shop-form",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": settings.upload_bytes_max + MEMORY_BYTES_MAX,
        "MAX_FORM_MEMORY_SIZE": MEMORY_BYTES_MAX,
        "WTF_CSRF_TIME_LIMIT": 12 * 3600,
        "WTF_CSRF_SSL_STRICT": False,  # Referrer-Policy may hide the referrer; the token stays
        "JSON_SORT_KEYS": False,
    }
