CREATE TABLE alias (id INTEGER PRIMARY KEY, v TEXT);
INSERT INTO alias (v) VALUES ('a'), ('b');
CREATE TABLE int_key (id INT PRIMARY KEY, v TEXT);
INSERT INTO int_key VALUES (1, 'a'), (NULL, 'b'), (NULL, 'c');
CREATE TABLE desc_key (id INTEGER PRIMARY KEY DESC, v TEXT);
INSERT INTO desc_key VALUES (5, 'a'), (NULL, 'b'), (3, 'c');
CREATE TABLE text_key (id TEXT PRIMARY KEY, v TEXT NOT NULL);
INSERT INTO text_key VALUES ('x', 'a'), (NULL, 'b'), ('', 'c');
