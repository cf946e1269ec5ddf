"""The catalogue: looking, finding, and offering."""

from webapp.blueprints.marketplace.routes import blueprint

__all__ = ["blueprint"]
