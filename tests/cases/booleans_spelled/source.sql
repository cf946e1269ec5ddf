CREATE TABLE flag (
  id INTEGER PRIMARY KEY,
  a BOOLEAN DEFAULT 'N', b BOOLEAN, c BOOLEAN, d BOOLEAN, mixed BOOLEAN, stray BOOLEAN DEFAULT 1);
INSERT INTO flag VALUES
  (1, 'Y', 't', 'True', 'FALSE', 'Y', 'Y'),
  (2, 'N', 'f', 'False', 'TRUE', 'yes', 'N'),
  (3, 'N', 't', 'True', 'TRUE', 'true', 1),
  (4, 'Y', NULL, 'True', 'TRUE', 'on', 'N'),
  (5, 'Y', 't', 'False', 'TRUE', 't', 'Y');
