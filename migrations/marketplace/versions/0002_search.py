"""Products are found by their words."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# External content: the words are the table's, the index alone is FTS5's own. It keeps accents,
# as PostgreSQL does: whoever searches decides what they mean, the same on both.
SQLITE = (
    """CREATE VIRTUAL TABLE product_search USING fts5(title, description,
      content='product', content_rowid='id', tokenize='unicode61 remove_diacritics 0')""",
    """CREATE TRIGGER product_search_insert AFTER INSERT ON product BEGIN
      INSERT INTO product_search (rowid, title, description)
      VALUES (new.id, new.title, new.description);
    END""",
    """CREATE TRIGGER product_search_delete AFTER DELETE ON product BEGIN
      INSERT INTO product_search (product_search, rowid, title, description)
      VALUES ('delete', old.id, old.title, old.description);
    END""",
    """CREATE TRIGGER product_search_update AFTER UPDATE OF title, description ON product BEGIN
      INSERT INTO product_search (product_search, rowid, title, description)
      VALUES ('delete', old.id, old.title, old.description);
      INSERT INTO product_search (rowid, title, description)
      VALUES (new.id, new.title, new.description);
    END""",
    "INSERT INTO product_search (product_search) VALUES ('rebuild')",
)
POSTGRESQL = (
    """CREATE INDEX product_search ON product USING gin (to_tsvector('simple',
      coalesce(title, '') || ' ' || coalesce(description, '')))""",
)


def upgrade() -> None:
    """An index of words: FTS5 on SQLite, tsvector on PostgreSQL."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Without it."""
    if op.get_context().dialect.name == "sqlite":
        for trigger in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER product_search_{trigger}")
        op.execute("DROP TABLE product_search")
    else:
        op.execute("DROP INDEX product_search")
