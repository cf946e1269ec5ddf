-- Objects that need a decision, because PostgreSQL has no equal of them or spells
-- them in another way. Only in a dirty sample, and none of them adds a row.

CREATE VIEW best_sellers AS
SELECT product_id, sum(quantity) AS sold FROM order_items GROUP BY product_id ORDER BY sold DESC;

CREATE TRIGGER products_touch AFTER UPDATE OF price ON products
BEGIN
    UPDATE products SET updated_at = datetime('now') WHERE id = new.id;
END;

ALTER TABLE reviews ADD COLUMN helpful_votes INTEGER NOT NULL DEFAULT 0 CHECK (helpful_votes >= 0);

CREATE INDEX ix_products_published ON products (created_at) WHERE is_published = 1;

CREATE VIRTUAL TABLE product_search USING fts5 (name, content = 'products', content_rowid = 'id');
