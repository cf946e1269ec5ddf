"""The shop: accounts, catalogue, orders, outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from webapp.database import types

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All tables, with their keys and indexes."""
    op.create_table(
        "category",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("names", types.Document, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_category_not_its_own_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name=op.f("fk_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_index(op.f("ix_category_parent_id"), "category", ["parent_id"], unique=False)
    op.create_table(
        "login_attempt",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=40), nullable=False),
        sa.Column("at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_account_at", "login_attempt", ["account", "at"], unique=False)
    op.create_index("ix_login_attempt_address_at", "login_attempt", ["address", "at"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", types.Document, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("claimed_until", types.Moment(), nullable=True),
        sa.Column("done_at", types.Moment(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('mail', 'charge', 'refund')", name=op.f("ck_outbox_message_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
    )
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "payment_event",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("payload", types.Document, nullable=False),
        sa.Column("received_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_payment_event")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("preferences", types.Document, nullable=False),
        sa.Column("session_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("deleted_at", types.Moment(), nullable=True),
        sa.CheckConstraint(
            "role IN ('user', 'seller', 'admin')", name=op.f("ck_user_account_role_known")
        ),
        sa.CheckConstraint(
            "length(username) >= 2", name=op.f("ck_user_account_username_long_enough")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_index(
        "uq_user_account_username_lower",
        "user_account",
        [sa.func.lower(sa.text("username"))],
        unique=True,
    )
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", types.Document, nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_idempotency_key_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("is_api", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=40), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.Column("expires_at", types.Moment(), nullable=False),
        sa.Column("revoked_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_login_session_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_login_session_token_digest")),
    )
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"], unique=False)
    op.create_table(
        "one_time_token",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("expires_at", types.Moment(), nullable=False),
        sa.Column("used_at", types.Moment(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('reset_password', 'create_admin')",
            name=op.f("ck_one_time_token_purpose_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_one_time_token_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_one_time_token")),
    )
    op.create_table(
        "product",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("seller_id", BIG, nullable=False),
        sa.Column("category_id", BIG, nullable=True),
        sa.Column("sku", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price", types.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column(
            "is_in_stock",
            sa.Boolean(),
            sa.Computed("stock > 0", persisted=True),
            nullable=False,
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attributes", types.Document, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("updated_at", types.Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'listed', 'withdrawn', 'hidden')",
            name=op.f("ck_product_state_known"),
        ),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_product_title_given")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_product_price_not_negative")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_product_stock_not_negative")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_product_category_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["user_account.id"], name=op.f("fk_product_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index(
        "ix_product_category_created", "product", ["category_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_product_listed",
        "product",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'listed'"),
        postgresql_where=sa.text("state = 'listed'"),
    )
    op.create_index("ix_product_price", "product", ["price", "id"], unique=False)
    op.create_index("ix_product_seller_id", "product", ["seller_id"], unique=False)
    op.create_index(
        "ix_product_title_lower", "product", [sa.func.lower(sa.text("title"))], unique=False
    )
    op.create_index(
        "uq_product_seller_sku",
        "product",
        ["seller_id", sa.func.lower(sa.text("sku"))],
        unique=True,
    )
    op.create_table(
        "shop_order",
        sa.Column("id", types.PublicId(), nullable=False),
        sa.Column("buyer_id", BIG, nullable=False),
        sa.Column("seller_id", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", types.Money(), nullable=False),
        sa.Column("address", types.Document, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("paid_at", types.Moment(), nullable=True),
        sa.Column("shipped_at", types.Moment(), nullable=True),
        sa.Column("ended_at", types.Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('placed', 'paid', 'shipped', 'cancelled', 'refunded')",
            name=op.f("ck_shop_order_state_known"),
        ),
        sa.CheckConstraint("total >= 0", name=op.f("ck_shop_order_total_not_negative")),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["user_account.id"], name=op.f("fk_shop_order_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["user_account.id"], name=op.f("fk_shop_order_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_order")),
    )
    op.create_index("ix_shop_order_buyer", "shop_order", ["buyer_id", "created_at"], unique=False)
    op.create_index(
        "ix_shop_order_open",
        "shop_order",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('placed', 'paid')"),
        postgresql_where=sa.text("state IN ('placed', 'paid')"),
    )
    op.create_index("ix_shop_order_seller", "shop_order", ["seller_id", "created_at"], unique=False)
    op.create_table(
        "cart_item",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_item_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_cart_item_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_cart_item_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_cart_item")),
    )
    op.create_index(op.f("ix_cart_item_product_id"), "cart_item", ["product_id"], unique=False)
    op.create_table(
        "favourite",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_favourite_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_favourite_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "product_id", name=op.f("pk_favourite")),
    )
    op.create_index("ix_favourite_product_id", "favourite", ["product_id"], unique=False)
    op.create_table(
        "order_item",
        sa.Column("order_id", types.PublicId(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("unit_price", types.Money(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_item_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_order_item_order_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_order_item_product_id")
        ),
        sa.PrimaryKeyConstraint("order_id", "line", name=op.f("pk_order_item")),
    )
    op.create_index("ix_order_item_product_id", "order_item", ["product_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("order_id", types.PublicId(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("idempotency_key", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("detail", types.Document, nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("settled_at", types.Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'captured', 'failed', 'refunding', 'refunded')",
            name=op.f("ck_payment_state_known"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_payment_amount_not_negative")),
        sa.ForeignKeyConstraint(["order_id"], ["shop_order.id"], name=op.f("fk_payment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_payment_idempotency_key")),
        sa.UniqueConstraint("order_id", name=op.f("uq_payment_order_id")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_payment_provider_reference")),
    )
    op.create_table(
        "product_image",
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("alternative", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["product.id"],
            name=op.f("fk_product_image_product_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", "number", name=op.f("pk_product_image")),
    )
    op.create_table(
        "question",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("answered_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_question_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_question_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index(
        "ix_question_product_id", "question", ["product_id", "created_at"], unique=False
    )
    op.create_index(op.f("ix_question_user_id"), "question", ["user_id"], unique=False)
    op.create_table(
        "review",
        sa.Column("product_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_review_rating_in_range")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_review_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_review_user_id")),
        sa.PrimaryKeyConstraint("product_id", "user_id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_user_id"), "review", ["user_id"], unique=False)


def downgrade() -> None:
    """Nothing of the shop."""
    op.drop_index(op.f("ix_review_user_id"), table_name="review")
    op.drop_table("review")
    op.drop_index(op.f("ix_question_user_id"), table_name="question")
    op.drop_index("ix_question_product_id", table_name="question")
    op.drop_table("question")
    op.drop_table("product_image")
    op.drop_table("payment")
    op.drop_index("ix_order_item_product_id", table_name="order_item")
    op.drop_table("order_item")
    op.drop_index("ix_favourite_product_id", table_name="favourite")
    op.drop_table("favourite")
    op.drop_index(op.f("ix_cart_item_product_id"), table_name="cart_item")
    op.drop_table("cart_item")
    op.drop_index("ix_shop_order_seller", table_name="shop_order")
    op.drop_index(
        "ix_shop_order_open",
        table_name="shop_order",
        sqlite_where=sa.text("state IN ('placed', 'paid')"),
        postgresql_where=sa.text("state IN ('placed', 'paid')"),
    )
    op.drop_index("ix_shop_order_buyer", table_name="shop_order")
    op.drop_table("shop_order")
    op.drop_index("uq_product_seller_sku", table_name="product")
    op.drop_index("ix_product_title_lower", table_name="product")
    op.drop_index("ix_product_seller_id", table_name="product")
    op.drop_index("ix_product_price", table_name="product")
    op.drop_index(
        "ix_product_listed",
        table_name="product",
        sqlite_where=sa.text("state = 'listed'"),
        postgresql_where=sa.text("state = 'listed'"),
    )
    op.drop_index("ix_product_category_created", table_name="product")
    op.drop_table("product")
    op.drop_table("one_time_token")
    op.drop_index("ix_login_session_user_id", table_name="login_session")
    op.drop_table("login_session")
    op.drop_table("idempotency_key")
    op.drop_index("uq_user_account_username_lower", table_name="user_account")
    op.drop_table("user_account")
    op.drop_table("payment_event")
    op.drop_index(
        "ix_outbox_message_due",
        table_name="outbox_message",
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.drop_table("outbox_message")
    op.drop_index("ix_login_attempt_address_at", table_name="login_attempt")
    op.drop_index("ix_login_attempt_account_at", table_name="login_attempt")
    op.drop_table("login_attempt")
    op.drop_index(op.f("ix_category_parent_id"), table_name="category")
    op.drop_table("category")
