CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, old TEXT, name VARCHAR(10), at DATETIME, paid BOOLEAN);
INSERT INTO note VALUES
  (1, 'abc', 'plain', 'ok', '2001-02-03 04:05:06', 1),
  (2, 'ab' || char(0) || 'c', CAST(x'636166e9' AS TEXT), 'n' || char(0), 981173106, 'f'),
  (3, CAST(x'61ff00' AS TEXT), 'plain', 12, '2001-02-03', 't'),
  (4, x'00', CAST(x'e900' AS TEXT), NULL, 'soon', 0),
  (5, NULL, NULL, NULL, NULL, NULL);
