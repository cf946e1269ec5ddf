CREATE TABLE few (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO few VALUES
  (1, 'café'), (2, CAST(x'66ff6f' AS TEXT)), (3, CAST(x'eda080' AS TEXT)), (4, CAST(x'c080' AS TEXT)),
  (5, '😀');
CREATE TABLE many (id INTEGER PRIMARY KEY, body TEXT, other TEXT);
INSERT INTO many VALUES
  (1, CAST(x'ff' AS TEXT), 'a'), (2, CAST(x'fe' AS TEXT), 'b'), (3, CAST(x'80' AS TEXT), 'c'),
  (4, CAST(x'c3' AS TEXT), 'd'), (5, 'ok', 'e');
