"""The JSON API under /api/v1."""

from webapp.blueprints.api.routes import blueprint

__all__ = ["blueprint"]
