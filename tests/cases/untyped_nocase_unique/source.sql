CREATE TABLE tag (id INTEGER PRIMARY KEY, v COLLATE NOCASE UNIQUE, w COLLATE RTRIM UNIQUE);
INSERT INTO tag VALUES
  (1, 1, 'x'), (2, 'a', 2.5), (3, '1', 'y'), (4, 'É', '2.5  '), (5, 'é', '2.5x'), (6, NULL, NULL),
  (7, '1.0', 'z');
