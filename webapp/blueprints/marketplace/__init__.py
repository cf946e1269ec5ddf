"""The catalogue: looking, finding, saying what one thinks, offering, and governing."""

from webapp.blueprints.marketplace import governing, looking, opinions, selling
from webapp.blueprints.marketplace.blueprint import blueprint

__all__ = ["blueprint", "governing", "looking", "opinions", "selling"]
