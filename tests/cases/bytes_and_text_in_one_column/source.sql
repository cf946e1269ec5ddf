CREATE TABLE few (id INTEGER PRIMARY KEY, body TEXT, data BLOB);
INSERT INTO few VALUES
  (1, 'plain', x'00ff'), (2, x'62696eff', 'hello'), (3, 'more', '\x41'), (4, 'text', 'aGVsbG8='),
  (5, 'number', 42), (6, '', x''), (7, NULL, NULL);
CREATE TABLE many (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO many VALUES (1, x'01'), (2, x'02'), (3, x'03'), (4, x'04'), (5, 'five');
