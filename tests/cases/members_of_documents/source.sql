CREATE TABLE d (
  id INTEGER PRIMARY KEY, doc JSON, raw TEXT,
  name TEXT AS (json_extract(doc, '$.name')),
  first INTEGER AS (doc ->> '$.list[0]') STORED,
  price REAL AS (raw ->> 'price'),
  odd TEXT AS (json_extract(doc, '$.odd')),
  CHECK (json_extract(doc, '$.state') IN ('new', 'paid')),
  CHECK (json_extract(doc, '$.n') > 1));
CREATE INDEX d_state ON d (json_extract(doc, '$.state'));
CREATE UNIQUE INDEX d_key ON d (doc ->> 'name');
INSERT INTO d (id, doc, raw) VALUES
  (1, '{"name": "Ann", "list": [7], "odd": true, "state": "new", "n": 2}', '{"price": 1.5}'),
  (2, '{"name": null, "odd": "x", "state": "paid", "n": 3}', NULL),
  (3, '{"name": "Bob", "list": [8, 9], "odd": {"a": 1}, "n": 4}', '{"price": 0.1, "price2": 2}');
