CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  active BOOLEAN NOT NULL DEFAULT 0,
  seen BOOL DEFAULT TRUE,
  odd BOOLEAN,
  level BOOLEAN DEFAULT 2);
INSERT INTO account VALUES
  (1, 0, 1, 0, 0), (2, 1, NULL, 1, 2), (3, 1, 0, 2, 3), (4, 0, 1, 'yes', 4), (5, 0, 0, '', 5),
  (6, 1, 1, NULL, 1);
