PRAGMA encoding = 'UTF-16be';
CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, name VARCHAR(6), at DATETIME, data BLOB);
INSERT INTO note VALUES
  (1, 'café 😀', 'naïve', '2024-01-02 03:04:05', x'00ff'), (2, '', 'b', NULL, 'hé'),
  (3, CAST(x'd8000041' AS TEXT), 'c', '2024-01-02', NULL), (4, 'a' || char(0) || 'b', 'd', NULL, NULL);
CREATE TABLE "tést" (k TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;
INSERT INTO "tést" VALUES ('É'), ('é'), ('a'), ('B');
