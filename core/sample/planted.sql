-- Objects that need a decision, because PostgreSQL has no equal of them or spells
-- them in another way. Only in a dirty sample, and none of them holds rows of its own.

CREATE VIEW best_sellers AS
SELECT product_id, sum(quantity) AS sold FROM order_items GROUP BY product_id ORDER BY sold DESC;

CREATE TRIGGER products_touch AFTER UPDATE OF price ON products
BEGIN
    UPDATE products SET updated_at = datetime('now') WHERE id = new.id;
END;

CREATE TABLE coupons (
    code VARCHAR(20) NOT NULL PRIMARY KEY,
    percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100)
);

CREATE INDEX ix_products_published ON products (created_at) WHERE is_published = 1;

CREATE VIRTUAL TABLE product_search USING fts5 (name, content = 'products', content_rowid = 'id');
