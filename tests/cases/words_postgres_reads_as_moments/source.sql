CREATE TABLE plan (id INTEGER PRIMARY KEY, day DATE, hour TIME, at DATETIME);
INSERT INTO plan VALUES
  (1, '2024-01-01', '08:00', '2024-01-01 08:00:00'),
  (2, '', 'allballs', '-infinity'),
  (3, 'not a date', 'now', 'epoch'),
  (4, 'tomorrow', '', 'January 8, 1999'),
  (5, NULL, NULL, NULL);
