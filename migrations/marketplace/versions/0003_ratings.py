"""How products are rated, as a view."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The number of reviews and their mean, for each product that has one."""
    mean = "avg(rating)"
    if op.get_context().dialect.name == "postgresql":
        mean += "::double precision"
    op.execute(
        "CREATE VIEW product_rating AS SELECT product_id, count(*) AS reviews,"
        f" {mean} AS average FROM review GROUP BY product_id"
    )


def downgrade() -> None:
    """Without it."""
    op.execute("DROP VIEW product_rating")
