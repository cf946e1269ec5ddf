CREATE TABLE edge (id INTEGER PRIMARY KEY, v TEXT);
INSERT INTO edge VALUES
  (-9223372036854775808, 'least'), (-5, 'minus'), (0, 'zero'), (9223372036854775807, 'most');
CREATE TABLE below (id INTEGER PRIMARY KEY, v TEXT);
INSERT INTO below VALUES (-7, 'a'), (-1, 'b'), (0, 'c');
