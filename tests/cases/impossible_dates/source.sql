CREATE TABLE person (
  id INTEGER PRIMARY KEY, born DATE, special DATE DEFAULT 'now', seen DATETIME DEFAULT 'infinity');
INSERT INTO person VALUES
  (1, '2024-02-29', '2024-01-01', '2024-01-02 03:04:05'),
  (2, '2024-02-30', 'now', 'infinity'),
  (3, '0000-00-00', 'epoch', '2024-01-02 24:00:00'),
  (4, '1/2/2024', 'today', '2024-01-02 03:04:60'),
  (5, '2023-12-31', '2023-12-31', '2023-12-31T00:00'),
  (6, NULL, NULL, NULL);
