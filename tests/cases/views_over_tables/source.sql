CREATE TABLE "Custömer" (
  id INTEGER PRIMARY KEY, "first ""name" TEXT, active BOOLEAN NOT NULL DEFAULT 1, city_id INTEGER,
  joined DATE, xmin INTEGER, mail TEXT COLLATE NOCASE);
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO city VALUES (1, 'Lima'), (2, 'Århus'), (3, 'lima');
INSERT INTO "Custömer" VALUES
  (1, 'Ana', 1, 1, '2024-01-31', 7, 'A@x'), (2, 'Bo', 0, 2, NULL, 8, 'a@X'), (3, NULL, 1, NULL, '2023-05-01', 9, NULL);
CREATE VIEW active AS SELECT * FROM "Custömer" WHERE active = 1;
CREATE VIEW gone AS SELECT c.id AS ID, c.active, xmin AS "the ""old"" one" FROM "Custömer" c WHERE NOT c.active;
CREATE VIEW with_city("who", "wo", ciudad) AS
  SELECT ifnull([first "name], "nobody"), t.name || ', PE', upper(t.name)
  FROM "Custömer" AS c LEFT OUTER JOIN city t ON c.city_id = t.id;
CREATE VIEW comma AS SELECT c.id, t.id, z.name FROM "Custömer" c, city t JOIN city z ON z.id = c.city_id WHERE t.id = z.id;
CREATE VIEW shared AS SELECT * FROM city JOIN (SELECT city_id AS id, joined FROM "Custömer") USING (id);
CREATE VIEW natural_one AS SELECT id, name FROM city NATURAL JOIN (SELECT 1 AS id UNION SELECT 3);
CREATE VIEW sorted AS SELECT name FROM city ORDER BY name DESC LIMIT 2, -1;
CREATE VIEW nulls AS SELECT "first ""name" AS n FROM "Custömer" ORDER BY n LIMIT 1;
CREATE VIEW same_mail AS SELECT a.id AS a, b.id AS b FROM "Custömer" a JOIN "Custömer" b ON a.mail = b.mail AND a.id < b.id;
CREATE VIEW over_views AS SELECT a.*, g."the ""old"" one" IS NULL AS "fresh?" FROM active a LEFT JOIN gone g ON g.ID = a.id;
CREATE VIEW by_rowid AS SELECT rowid, oid + 1 AS next FROM city WHERE _rowid_ > 1;
CREATE VIEW dates AS SELECT id, strftime('%Y', joined) AS y, date(joined, '+1 day') AS d FROM "Custömer";
CREATE VIEW full_one AS SELECT c.id AS c, t.id AS t FROM "Custömer" c FULL JOIN city t ON t.id = c.city_id;
