"""SQLite's SQL, understood and said again in PostgreSQL's words, or refused.

Knows expressions, affinities and what the plan made of the columns; refuses to know
connections, runs and what becomes of whatever it refuses.
"""

from core.dialect.arms import Said
from core.dialect.assignments import assigned
from core.dialect.columns import NOWHERE, Place, Places, Scope
from core.dialect.expressions import Expressions, condition, value
from core.dialect.queries import SaidView, said_view
from core.dialect.relations import Doubt, Key, Known, Relation
from core.dialect.terms import COLLATIONS, Kind, Term, Untranslatable
from core.dialect.volatility import Volatility

__all__ = [
    "COLLATIONS",
    "NOWHERE",
    "Doubt",
    "Expressions",
    "Key",
    "Kind",
    "Known",
    "Place",
    "Places",
    "Relation",
    "Said",
    "SaidView",
    "Scope",
    "Term",
    "Untranslatable",
    "Volatility",
    "assigned",
    "condition",
    "said_view",
    "value",
]
