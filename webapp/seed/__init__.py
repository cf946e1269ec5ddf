"""A shop full of made-up people and things, the same for the same size.

It refuses to know the web, and to fill a database that holds anything. With ``dirt`` it leaves
what years of SQLite leave behind, in rows and tables of their own.
"""

from webapp.seed.dirt import DIRT, Dirt, DirtRefused
from webapp.seed.market import ADMIN, BUYER, SELLER
from webapp.seed.planting import NotEmpty, Seeded, seed
from webapp.seed.sizes import Counts, Size

__all__ = [
    "ADMIN",
    "BUYER",
    "DIRT",
    "SELLER",
    "Counts",
    "Dirt",
    "DirtRefused",
    "NotEmpty",
    "Seeded",
    "Size",
    "seed",
]
