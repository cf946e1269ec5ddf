CREATE TABLE slot (id INTEGER PRIMARY KEY, at DATETIME UNIQUE, v TEXT);
INSERT INTO slot VALUES
  (5, '2024-01-02T03:04:05', 'T'), (2, '2024-01-02 03:04:05', 'space'), (9, '2024-01-02 03:04:05.000', 'ms'),
  (7, '2024-01-02 03:04:06', 'other'), (8, NULL, 'null'), (11, NULL, 'null');
CREATE TABLE instant (at DATETIME PRIMARY KEY, v TEXT) WITHOUT ROWID;
INSERT INTO instant VALUES ('2024-01-02 03:00:00Z', 'b'), ('2024-01-02 01:00:00-02:00', 'a');
CREATE TABLE setting (body JSON UNIQUE, n INTEGER);
INSERT INTO setting VALUES ('{"a":1,"b":2}', 1), ('{"b":2, "a":1.0}', 2), ('{"a":1}', 3);
CREATE TABLE both (a DATE, b DATETIME, v TEXT, UNIQUE (a, b));
INSERT INTO both VALUES
  ('2024-01-01', '2024-01-02 00:00', 'kept'), ('2024-01-01', '2024-01-02', 'same'),
  ('2024-01-01', NULL, 'null'), ('2024-01-01', NULL, 'null again'), ('2024-01-03', '2024-01-02', 'other');
