CREATE TABLE account (id INTEGER PRIMARY KEY, born DATE, age INTEGER, email TEXT UNIQUE);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account);
INSERT INTO account VALUES
  (1, '2001-02-03', 20, 'a'), (2, '', 21, 'b'), (3, '2001-02-30', 'old', 'c'), (4, NULL, NULL, NULL);
INSERT INTO purchase VALUES (1, 1), (2, 2), (3, 3), (4, 3);
