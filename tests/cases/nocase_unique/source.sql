CREATE TABLE account (
  id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE, nick TEXT COLLATE NOCASE,
  title VARCHAR(20) COLLATE NOCASE);
CREATE INDEX account_nick ON account (nick);
INSERT INTO account VALUES (1, 'Bob@example.org', 'B', 'x'), (2, 'É', 'b', 'X'), (3, 'é', 'É', NULL);
CREATE TABLE tag (name TEXT COLLATE NOCASE PRIMARY KEY, n INT) WITHOUT ROWID;
INSERT INTO tag VALUES ('b', 1), ('A', 2), ('ß', 3), ('C', 4);
