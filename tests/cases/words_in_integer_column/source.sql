CREATE TABLE few (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO few VALUES
  (1, '1e3'), (2, ' 12 '), (3, '+5'), (4, '0x1F'), (5, '1_000'), (6, ''), (7, NULL);
CREATE TABLE many (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO many VALUES (1, 'abc'), (2, '0x1F'), (3, '1_000'), (4, ''), (5, 12), (6, 1.5), (7, NULL);
CREATE TABLE none_fits (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO none_fits VALUES (1, 'abc'), (2, 'abd');
