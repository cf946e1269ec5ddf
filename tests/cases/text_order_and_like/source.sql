CREATE TABLE word (id INTEGER PRIMARY KEY, w TEXT);
CREATE INDEX word_w ON word (w DESC);
CREATE VIEW like_a AS SELECT w FROM word WHERE w LIKE 'A%' ORDER BY w;
INSERT INTO word VALUES (1, 'b'), (2, 'B'), (3, NULL), (4, 'a'), (5, 'é'), (6, 'A'), (7, 'É');
