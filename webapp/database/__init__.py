"""The shop's database: which one is live, transactions, and the types that both engines
hold exactly. It refuses to know tables and the web.
"""

from webapp.database.engines import make_engine
from webapp.database.once import inserted
from webapp.database.route import Route, RouteUnreadable
from webapp.database.turns import take_turns
from webapp.database.types import Choice, Document, Moment, Money, PublicId
from webapp.database.units import Database, Frozen, is_frozen

__all__ = [
    "Choice",
    "Database",
    "Document",
    "Frozen",
    "Moment",
    "Money",
    "PublicId",
    "Route",
    "RouteUnreadable",
    "inserted",
    "is_frozen",
    "make_engine",
    "take_turns",
]
