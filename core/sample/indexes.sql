-- Made after the rows, because that is faster.

CREATE INDEX ix_addresses_user_id ON addresses (user_id);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_products_seller_id ON products (seller_id);
CREATE INDEX ix_products_category_id ON products (category_id);
CREATE INDEX ix_product_images_product_id ON product_images (product_id);
CREATE INDEX ix_favourites_product_id ON favourites (product_id);
CREATE INDEX ix_reviews_user_id ON reviews (user_id);
CREATE INDEX ix_questions_product_id ON questions (product_id);
CREATE INDEX ix_carts_user_id ON carts (user_id);
CREATE INDEX ix_orders_user_id ON orders (user_id);
CREATE INDEX ix_orders_status ON orders (status, placed_at DESC);
CREATE INDEX ix_order_items_product_id ON order_items (product_id);
CREATE UNIQUE INDEX ux_addresses_label ON addresses (user_id, label, street);
