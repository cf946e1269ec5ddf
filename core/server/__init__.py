"""PostgreSQL as a place: its binaries, an embedded server, a connection, a first look."""
