CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT, code VARCHAR(4) DEFAULT 'none');
INSERT INTO log VALUES
  (1, CAST(x'6100' AS TEXT), 'ok'), (2, CAST(x'006200' AS TEXT), NULL), (3, CAST(x'00' AS TEXT), ''),
  (4, 'c' || char(0) || 'é', 'abcd'), (5, 'plain', 'x'), (6, '', 'x'), (7, NULL, 'x');
