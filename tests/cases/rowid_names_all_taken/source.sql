CREATE TABLE hidden (rowid TEXT, oid INTEGER, _rowid_ REAL);
INSERT INTO hidden VALUES ('a', 1, 0.5), ('a', 1, 0.5), ('b', 'x', 1), (NULL, NULL, NULL);
CREATE TABLE one_left (rowid TEXT, _rowid_ TEXT, v TEXT);
INSERT INTO one_left VALUES ('x', 'y', '1'), ('x', 'y', '1');
CREATE TABLE alias (rowid INTEGER PRIMARY KEY, oid TEXT);
INSERT INTO alias VALUES (5, 'five'), (3, 'three');
