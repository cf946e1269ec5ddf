CREATE TABLE thing (id INTEGER PRIMARY KEY, v UNIQUE);
INSERT INTO thing VALUES (1, 1), (2, '1'), (3, 1.5), (4, x'31'), (5, NULL), (6, NULL), (7, 'a');
CREATE TABLE plain (v UNIQUE);
INSERT INTO plain VALUES (1), (2), (3);
