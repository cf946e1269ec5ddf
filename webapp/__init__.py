"""The shop. This folder will hold what the issue "The marketplace" brings: a Flask
application that lives on a SQLite database and is moved to PostgreSQL while it
serves. It refuses to know Mudanza: it imports nothing of ``core``, honours a
read-only answer of its database and a route file, and would do so for any mover.
"""
