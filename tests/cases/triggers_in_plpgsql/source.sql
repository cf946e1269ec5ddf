CREATE TABLE shelf (id INTEGER PRIMARY KEY, books INTEGER NOT NULL DEFAULT 0, changed TIMESTAMP);
CREATE TABLE book (id INTEGER PRIMARY KEY, shelf INTEGER, title TEXT);
CREATE TABLE gone (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO shelf VALUES (1, 1, '2024-01-02 03:04:05'), (2, 0, NULL);
INSERT INTO book VALUES (1, 1, 'one');
CREATE TRIGGER book_added AFTER INSERT ON book BEGIN UPDATE shelf SET books = books + 1 WHERE id = NEW.shelf; END;
CREATE TRIGGER shelf_touched AFTER UPDATE ON shelf BEGIN
  UPDATE shelf SET changed = datetime('now') WHERE rowid = NEW.rowid; END;
CREATE TRIGGER book_gone AFTER DELETE ON book WHEN OLD.title <> '' BEGIN INSERT INTO gone (title) VALUES (OLD.title); END;
CREATE TRIGGER book_checked BEFORE INSERT ON book BEGIN
  SELECT RAISE(ABORT, 'no such shelf') WHERE NOT EXISTS (SELECT 1 FROM shelf WHERE id = NEW.shelf); END;
CREATE TRIGGER book_moved AFTER UPDATE OF shelf ON book BEGIN
  INSERT OR REPLACE INTO gone (id, title) VALUES (NEW.id, NEW.title); END;
