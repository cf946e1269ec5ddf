-- A small shop with one object of each kind, one of them broken by its rows.
CREATE TABLE customer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email VARCHAR(80) NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT 'nobody',
    vip BOOLEAN NOT NULL DEFAULT 0,
    joined TIMESTAMP,
    credit DECIMAL(10,2) DEFAULT 0 CHECK (credit >= 0),
    code TEXT
);
CREATE TABLE "order" (
    id INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    total REAL NOT NULL CHECK (total > 0),
    note TEXT
);
CREATE TABLE line (
    "order" INTEGER NOT NULL,
    place INTEGER NOT NULL,
    what TEXT NOT NULL,
    amount INTEGER,
    PRIMARY KEY ("order", place),
    UNIQUE (what, place),
    FOREIGN KEY ("order") REFERENCES "order" (id)
);
CREATE TABLE orphan (id INTEGER PRIMARY KEY, of INTEGER REFERENCES customer (id));
CREATE INDEX order_by_customer ON "order" (customer, total DESC);
CREATE INDEX big_orders ON "order" (total) WHERE total > 100;
CREATE INDEX line_what ON line (what);
INSERT INTO customer VALUES (1, 'a@b.c', 'Ann', 1, '2024-01-02 03:04:05', 1.5, 'x'),
                            (2, 'd@e.f', 'Dan', 0, '2024-02-03 04:05:06', 0, NULL);
INSERT INTO "order" VALUES (1, 1, 10.5, NULL), (2, 2, 200.0, 'big');
INSERT INTO line VALUES (1, 1, 'apple', 3), (1, 2, 'pear', 4);
INSERT INTO orphan VALUES (1, 77);
