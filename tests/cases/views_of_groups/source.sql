CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, open BOOLEAN);
CREATE TABLE clerk (id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL, name TEXT, pay DECIMAL(6,2));
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id INTEGER, clerk_id INTEGER, cents INTEGER, weight REAL, day DATE);
INSERT INTO shop VALUES (1, 'North', 1), (2, 'South', 0), (3, 'East', NULL);
INSERT INTO clerk VALUES (1, 1, 'Ana', 10.1), (2, 1, 'Bo', 20.2), (3, 2, 'Cy', 0.1);
INSERT INTO sale VALUES (1, 1, 1, 100, 0.1, '2024-01-01'), (2, 1, 2, 250, 0.2, '2024-01-01'),
  (3, 2, 3, NULL, 0.7, '2024-02-01'), (4, 1, 1, 50, NULL, NULL);
CREATE VIEW totals AS SELECT shop_id, count(*) AS n, count(cents) AS priced, sum(cents) AS cents, total(cents) AS t,
  avg(cents) AS a, sum(weight) AS w, max(day) AS last FROM sale GROUP BY shop_id;
CREATE VIEW pay AS SELECT shop_id, sum(pay) AS pay FROM clerk GROUP BY 1 HAVING sum(pay) IS NOT NULL;
CREATE VIEW none_sold AS SELECT sum(cents) AS s, total(cents) AS t, count(*) AS c, max(day) AS d FROM sale WHERE cents > 999;
CREATE VIEW open_shops AS SELECT sum(open) AS open, count(DISTINCT open) AS kinds, max(open) AS best FROM shop;
CREATE VIEW by_key AS SELECT s.*, count(c.id) AS clerks FROM shop s LEFT JOIN clerk c ON c.shop_id = s.id GROUP BY s.id;
CREATE VIEW by_name AS SELECT s.id, s.name, count(*) AS n FROM shop s GROUP BY s.name;
CREATE VIEW looked_up AS SELECT a.id, c.name, s.name AS shop, s.open, count(*) AS n
  FROM sale a JOIN clerk c ON c.id = a.clerk_id JOIN shop s ON s.id = c.shop_id GROUP BY a.id;
CREATE VIEW any_clerk AS SELECT s.id, s.name, c.name AS clerk FROM shop s LEFT JOIN clerk c ON c.shop_id = s.id
  AND c.pay > 15 GROUP BY s.id;
CREATE VIEW over_groups AS SELECT c.shop_id, t.n, t.cents / 2 AS half, count(*) AS clerks FROM clerk c
  JOIN totals t ON t.shop_id = c.shop_id GROUP BY c.shop_id;
CREATE VIEW months AS SELECT strftime('%Y-%m', day) AS month, sum(cents) AS cents FROM sale GROUP BY month ORDER BY month;
CREATE VIEW expressions AS SELECT 'shop ' || name AS label, 2 * count(*) AS twice FROM shop GROUP BY 'shop ' || name, open;
CREATE VIEW names AS SELECT shop_id, group_concat(name) AS names FROM clerk GROUP BY shop_id;
CREATE VIEW ranks AS SELECT id, rank() OVER (ORDER BY cents DESC) AS place, sum(cents) OVER (PARTITION BY shop_id) AS all_cents,
  lag(cents, 1, 0) OVER w AS before FROM sale WINDOW w AS (PARTITION BY shop_id ORDER BY id);
