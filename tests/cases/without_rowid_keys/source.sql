CREATE TABLE pair (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
INSERT INTO pair VALUES (2, 'x', '1'), (1, 'x', '2'), (-1, 'y', '3'), (5, '', '4'), (5, 'É', '5');
CREATE TABLE mixed (k PRIMARY KEY, v TEXT) WITHOUT ROWID;
INSERT INTO mixed VALUES
  (2, 'two'), ('2', 'text'), (x'32', 'blob'), (10, 'ten'), (-1.5, 'real'), ('', 'empty'), (x'', 'none');
CREATE TABLE bytes (k BLOB PRIMARY KEY DESC, n INTEGER) WITHOUT ROWID;
INSERT INTO bytes VALUES (x'00', 1), (x'', 2), (x'ff00', 3);
CREATE TABLE reals (k REAL PRIMARY KEY, n INTEGER) WITHOUT ROWID;
INSERT INTO reals VALUES (0.1, 1), (-1e300, 2), (3, 3), (1e999, 4);
