CREATE TABLE price (
  id INTEGER PRIMARY KEY,
  fits DECIMAL(10,2),
  too_fine DECIMAL(10,2),
  too_large DECIMAL(4,2),
  lost_before DECIMAL(22,2),
  bare DECIMAL,
  worded DECIMAL(10,2));
INSERT INTO price VALUES
  (1, '1.10', 12.345, 99.99, '12345678901234567890.12', 0.1, 1),
  (2, 3, 0.1, 100, 1, 1e-7, 'n/a'),
  (3, -99999999.99, -12.3, 7, 2.5, 123456789012345678, 2.50),
  (4, NULL, NULL, NULL, NULL, 1e21, NULL);
