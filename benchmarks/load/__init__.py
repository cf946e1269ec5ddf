"""How the marketplace bears many people at once, on SQLite and on PostgreSQL: ``make load``.

The same shop, the same data, the same requests at the same moments; what differs is the
database alone. Latency counts from the moment at which somebody meant to ask (corrected),
and beside it from the moment at which they got to ask (raw): a server that stands still for
a second lets nobody ask, and is no quicker for it.
"""
