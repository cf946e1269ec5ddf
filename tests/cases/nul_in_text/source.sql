CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, name VARCHAR(10));
INSERT INTO note VALUES
  (1, 'abc', 'ok'), (2, CAST(x'61620063' AS TEXT), 'ok'), (3, '', CAST(x'00' AS TEXT)), (4, NULL, NULL);
