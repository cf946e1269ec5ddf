CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER NOT NULL DEFAULT 3);
INSERT INTO t VALUES (1, '', 0), (2, 'x', 1), (3, 'y', 'three');
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'a TEXT NOT NULL', 'a TEXT         ') WHERE name = 't';
PRAGMA writable_schema = RESET;
INSERT INTO t VALUES (4, NULL, 5);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'a TEXT         ', 'a TEXT NOT NULL') WHERE name = 't';
PRAGMA writable_schema = OFF;
