CREATE TABLE node (id INTEGER PRIMARY KEY, up INTEGER, label TEXT, hot BOOLEAN);
CREATE TABLE tag (node INTEGER, word TEXT);
INSERT INTO node VALUES (1, NULL, 'root', 1), (2, 1, 'leaf', 0), (3, 1, NULL, NULL), (4, 3, 'deep', 1);
INSERT INTO tag VALUES (1, 'a'), (1, 'b'), (4, 'a'), (9, 'z'), (2, NULL);
CREATE VIEW both AS SELECT label FROM node UNION SELECT word FROM tag;
CREATE VIEW all_of AS SELECT id, hot FROM node UNION ALL SELECT node, 1 FROM tag ORDER BY 1, 2 DESC;
CREATE VIEW left_to_right AS SELECT 1 AS n UNION SELECT 2 UNION ALL SELECT 2 INTERSECT SELECT 2;
CREATE VIEW minus AS SELECT id FROM node EXCEPT SELECT node FROM tag;
CREATE VIEW tagged AS SELECT id, (SELECT count(*) FROM tag t WHERE t.node = n.id) AS tags,
  EXISTS (SELECT 1 FROM tag WHERE node = id AND word = 'b') AS b, id IN (SELECT node FROM tag) AS any_tag
  FROM node n WHERE id NOT IN (SELECT node FROM tag WHERE word = 'z');
CREATE VIEW first_word AS SELECT id, (SELECT word FROM tag WHERE node = id ORDER BY word) AS word FROM node;
CREATE VIEW below AS WITH RECURSIVE down(id, depth) AS (
  SELECT id, 0 FROM node WHERE up IS NULL UNION ALL SELECT n.id, depth + 1 FROM down JOIN node n ON n.up = down.id)
  SELECT label, depth FROM down JOIN node USING (id);
CREATE VIEW numbers AS WITH RECURSIVE c(x) AS (VALUES (1) UNION SELECT x + 1 FROM c WHERE x < 4) SELECT x FROM c;
CREATE VIEW twice AS WITH hot AS (SELECT id FROM node WHERE hot), cold(n) AS (SELECT id FROM node WHERE hot = 0)
  SELECT hot.id, n FROM hot, cold;
CREATE VIEW pairs(a, b) AS VALUES (1, 'x'), (2, NULL);
CREATE VIEW nested AS SELECT * FROM (SELECT count(*), max(id) AS top FROM (SELECT DISTINCT node AS id FROM tag));
CREATE VIEW by_text AS SELECT n.id FROM node n JOIN tag ON tag.node = '1' AND n.id = CAST(tag.node AS TEXT);
CREATE VIEW one_row AS SELECT 1 AS one, 'it''s' AS words, NULL AS void, 0.5 AS half;
CREATE VIEW numbered AS SELECT row_number() OVER () AS n FROM node;
