CREATE TABLE shift (id INTEGER PRIMARY KEY, starts TIME, ends TIME, vague TIME);
INSERT INTO shift VALUES
  (1, '00:00', '24:00:00', 'morning'),
  (2, '08:30:15.25', '23:59:59.999999', 'noon'),
  (3, '25:00', '12:00:00.1234567', '08:00'),
  (4, '23:59:60', '12:00', 'evening'),
  (5, '09:00:00.1000000', '24:00:00.000001', 'night');
