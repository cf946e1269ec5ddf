CREATE TABLE reading (id INTEGER PRIMARY KEY, value REAL, loose, price DECIMAL(10,2));
INSERT INTO reading VALUES
  (1, 0.1 + 0.2, -0.0, 1.5),
  (2, 1e999, 0.5, 1e999),
  (3, -1e999, 1e999, -2),
  (4, 5e-324, 3.0, 0),
  (5, 1.7976931348623157e308, -1e999, 12.34),
  (6, -0.0, 1e22, NULL);
