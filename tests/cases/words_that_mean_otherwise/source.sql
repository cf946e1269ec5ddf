CREATE TABLE t (
  id INTEGER PRIMARY KEY, a INTEGER, name TEXT, deleted BOOLEAN NOT NULL DEFAULT 0, made DATETIME, price REAL,
  CHECK (name GLOB '[a-z]*' OR typeof(name) == 'null'));
CREATE UNIQUE INDEX t_live ON t (name) WHERE deleted = 0;
INSERT INTO t VALUES
  (1, 0, 'hello', 0, '2024-01-31 10:00:00', 2.5), (2, 5, 'hello', 1, '2024-02-01 00:00:00', -2.5),
  (3, NULL, 'world', 0, NULL, NULL), (4, -3, NULL, 0, '2023-12-31 23:59:59', 0.125);
CREATE VIEW equal_signs AS SELECT id FROM t WHERE name == "hello";
CREATE VIEW chosen AS SELECT id, ifnull(name, "nobody") AS name, iif(a > 0, 'more', 'none') AS more FROM t;
CREATE VIEW years AS SELECT id, strftime('%Y-%m', made) AS month, date(made, '+1 day') AS day FROM t;
CREATE VIEW joined AS SELECT group_concat(name) AS names FROM (SELECT DISTINCT name FROM t WHERE deleted);
CREATE VIEW globbed AS SELECT id, name GLOB 'w*' AS w, typeof(a) AS class FROM t;
CREATE VIEW third AS SELECT id FROM t ORDER BY id LIMIT 2, 1;
CREATE VIEW bare AS SELECT id, name, count(*) AS n FROM t GROUP BY id;
CREATE VIEW truthy AS SELECT id FROM t WHERE a;
CREATE VIEW most AS SELECT id, max(a, 1) AS most, min(a, 1) AS least, max(1, NULL) AS none FROM t;
CREATE VIEW tail AS SELECT id, substr(name, -3) AS tail, substr('hello', -3) AS llo FROM t;
CREATE VIEW by_nought AS SELECT id, 5 / 0 AS none, 5 / a AS some, a / 2 AS half, a % 2 AS odd FROM t;
CREATE VIEW live AS SELECT id FROM t WHERE deleted = 0 AND NOT deleted;
CREATE VIEW rounded AS SELECT id, round(price) AS whole FROM t;
CREATE VIEW since AS SELECT id FROM t WHERE made >= '2024-01-01' ORDER BY made DESC;
