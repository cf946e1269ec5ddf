CREATE TABLE "Order" ("select" TEXT, "a""q" TEXT, "with space" TEXT, "%s {0} '" TEXT, "É" TEXT);
INSERT INTO "Order" VALUES ('1', '2', '3', '4', '5');
CREATE TABLE system_columns (ctid TEXT, xmin TEXT, xmin_ TEXT, tableoid TEXT, oid TEXT, "XMAX" TEXT);
INSERT INTO system_columns VALUES ('1', '2', '3', '4', '5', '6');
CREATE TABLE "a_name_of_sixty_four_bytes_which_is_one_more_than_postgresql_has" (
  id INTEGER PRIMARY KEY,
  "the_same_first_sixty_three_bytes_in_two_columns_of_one_table_yes_a" TEXT,
  "the_same_first_sixty_three_bytes_in_two_columns_of_one_table_yes_b" TEXT);
INSERT INTO "a_name_of_sixty_four_bytes_which_is_one_more_than_postgresql_has" VALUES (1, 'a', 'b');
CREATE TABLE "a_name_of_sixty_four_bytes_which_is_one_more_than_postgresql_hat" ("" TEXT, "unnamed" TEXT);
INSERT INTO "a_name_of_sixty_four_bytes_which_is_one_more_than_postgresql_hat" VALUES ('x', 'y');
CREATE TABLE "50%" (id INTEGER PRIMARY KEY, "é{x}%(y)s" TEXT DEFAULT '100% {z}');
CREATE INDEX "in%dex {1} ""q"" " ON "50%" ("é{x}%(y)s");
INSERT INTO "50%" VALUES (1, '%s');
