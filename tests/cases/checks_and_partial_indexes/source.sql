CREATE TABLE t (
  id INTEGER PRIMARY KEY,
  price INTEGER CHECK (price >= 0),
  state TEXT NOT NULL CHECK (state IN ('new', "paid")),
  deleted BOOLEAN NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  code TEXT COLLATE NOCASE CHECK (code GLOB '[a-z]*' AND length(code) < 9),
  low INTEGER, high INTEGER, far INTEGER,
  CONSTRAINT ordered CHECK (low + 1 <= high),
  CONSTRAINT beyond CHECK (far + 1 > far),
  CHECK (random() IS NOT NULL));
CREATE UNIQUE INDEX t_live ON t (code) WHERE deleted = 0;
CREATE INDEX t_new ON t (price) WHERE state == 'new';
CREATE INDEX t_odd ON t (price) WHERE price % 2;
INSERT INTO t VALUES (1, 5, 'new', 0, 'abc', 1, 2, 0), (2, NULL, 'paid', 1, 'abc', NULL, 2, NULL);
PRAGMA ignore_check_constraints = ON;
INSERT INTO t VALUES (3, -1, 'new', 0, 'xyz', 5, 1, 9223372036854775807);
