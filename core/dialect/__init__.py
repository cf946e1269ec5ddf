"""SQLite's SQL, understood and said again in PostgreSQL's words, or refused.

Knows expressions, affinities and what the plan made of the columns; refuses to know
connections, runs and what becomes of whatever it refuses.
"""

from core.dialect.columns import Place, Places
from core.dialect.conditions import condition
from core.dialect.terms import COLLATIONS, Untranslatable

__all__ = ["COLLATIONS", "Place", "Places", "Untranslatable", "condition"]
