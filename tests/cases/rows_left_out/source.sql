CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT, active BOOLEAN);
CREATE TABLE pets (owner INTEGER REFERENCES owners (id), name TEXT, PRIMARY KEY (owner, name)) WITHOUT ROWID;
INSERT INTO owners VALUES (1, 'Ann', 1), (2, 'Bob', 0), (3, 'Cleo', NULL), (4, 'Dan', 'maybe'), (5, 'Eve', 1);
INSERT INTO pets VALUES (1, 'rex'), (2, 'tom'), (5, 'ada'), (5, 'zoe');
