CREATE TABLE doc (
  id INTEGER PRIMARY KEY, clean JSON, twice JSON, nul JSON, broken JSON, surrogate JSON,
  spelled JSON DEFAULT '{"a": [1, 2.50]}');
INSERT INTO doc VALUES
  (1, '{"b": 1, "a": [1.50, true, null]}', '{"a": 1, "a": 2}', '{"n": "a\u0000b"}', '',
   '"\ud83d\ude00"', '"\\u0000"'),
  (2, ' "text" ', '[]', '1', '{bad}', '"\ud83d"', '"[[[["'),
  (3, '12345678901234567890123456789.0', '{}', 'null', '{"x": NaN}', '""', '1E+2'),
  (4, NULL, NULL, NULL, '{"fine": 1}', NULL, NULL);
