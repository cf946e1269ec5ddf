CREATE TABLE person (
  id INTEGER PRIMARY KEY, short VARCHAR(5), long VARCHAR(5), code CHAR(3), blanks VARCHAR(3),
  accents VARCHAR(4) DEFAULT 'toolong', unused VARCHAR(2));
INSERT INTO person VALUES
  (1, 'abcde', 'toolongvalue', 'ab ', 'abc   ', 'éàü😀', NULL),
  (2, 'x', 'ok', 'abc', 'abc', 'été', NULL);
