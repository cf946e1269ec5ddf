CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
INSERT INTO note VALUES
  (1, ''), (2, NULL), (3, '\N'), (4, 'a' || char(9) || 'b\' || char(10)), (5, 'it''s "quoted"'),
  (6, 'NULL'), (7, char(13, 10)), (8, ' '), (9, '\.');
