CREATE TABLE line (
  id INTEGER PRIMARY KEY, price REAL, qty INTEGER,
  total REAL GENERATED ALWAYS AS (price * qty) STORED,
  label TEXT AS ('n' || qty) VIRTUAL);
INSERT INTO line (id, price, qty) VALUES (1, 0.1, 3), (2, 2.5, NULL);
