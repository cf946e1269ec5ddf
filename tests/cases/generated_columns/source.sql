CREATE TABLE line (
  id INTEGER PRIMARY KEY, price REAL, qty INTEGER,
  total REAL GENERATED ALWAYS AS (price * qty) STORED,
  label TEXT AS ('n' || qty) VIRTUAL,
  state TEXT,
  twice REAL AS (total * 2),
  is_new BOOLEAN NOT NULL AS (state = 'new') STORED,
  code TEXT AS (lower(trim(state))),
  half INTEGER AS (qty / 2),
  seen TEXT AS (strftime('%Y', price)),
  paid BOOLEAN,
  due REAL AS (CASE WHEN paid THEN 0.0 ELSE price END));
CREATE INDEX line_code ON line (code);
CREATE INDEX line_half ON line (half) WHERE is_new;
INSERT INTO line (id, price, qty, state, paid) VALUES (1, 0.1, 3, ' New', 0), (2, 2.5, NULL, 'new', 1);
