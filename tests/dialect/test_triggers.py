"""Triggers on both engines: one script of changes leaves one outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from core.dialect import Place
from core.dialect.subjects import Subject
from core.dialect.triggers import Naming, read_trigger, said_trigger
from core.plan import BuildKind, Fate
from core.schema.model import Affinity
from core.values import types
from core.values.types import Conversion, TargetType
from tests.dialect.both import Both
from tests.plan.planning import planned


@pytest.fixture(scope="module")
def target(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


@dataclass(frozen=True)
class Shape:
    """Tables and rows, triggers, and changes that fire them. ``said``: how many triggers
    PostgreSQL gets, all of them unless told."""

    tables: str
    triggers: str
    changes: tuple[str, ...]


ITEMS = """
    CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n INTEGER NOT NULL DEFAULT 0,
      on_sale BOOLEAN, changed TIMESTAMP);
    CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER, word TEXT);
    CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT, p INTEGER, was TEXT, at TIMESTAMP);
    INSERT INTO p VALUES (1, 'one', 0, 1, '2001-02-03 04:05:06'), (2, 'two', 0, 0, NULL);
    INSERT INTO c VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');
    INSERT INTO log VALUES (1, 'begun', NULL, NULL, '2001-02-03 04:05:06');
"""

SHAPES = {
    "a moment is touched": Shape(
        ITEMS,
        """CREATE TRIGGER touch_i AFTER INSERT ON p BEGIN
             UPDATE p SET changed = datetime('now') WHERE rowid = new.rowid; END;
           CREATE TRIGGER touch_u AFTER UPDATE ON p FOR EACH ROW BEGIN
             UPDATE p SET changed = CURRENT_TIMESTAMP, n = n + 1 WHERE id = NEW.id; END;""",
        ("INSERT INTO p VALUES (3, 'three', 0, NULL, NULL)", "UPDATE p SET name = 'uno' WHERE id = 1",
         "UPDATE p SET n = n + 10"),
    ),
    "a moment is touched by a key of two columns": Shape(
        """CREATE TABLE t (a INT, b INT, n INT, at TIMESTAMP, PRIMARY KEY (a, b));
           INSERT INTO t VALUES (1, 1, 1, '2001-02-03 04:05:06'), (1, 2, 1, '2001-02-03 04:05:06');""",
        """CREATE TRIGGER tu AFTER UPDATE ON t BEGIN
             UPDATE t SET at = datetime('NOW') WHERE rowid = old.rowid; END;
           CREATE TRIGGER ti AFTER INSERT ON t BEGIN
             UPDATE t SET at = datetime('NOW') WHERE new._rowid_ = rowid; END;""",
        ("UPDATE t SET n = 2 WHERE b = 1", "UPDATE t SET b = 9 WHERE b = 2", "INSERT INTO t VALUES (2, 2, 2, NULL)"),
    ),
    "only where it was left alone": Shape(
        ITEMS,
        """CREATE TRIGGER touch AFTER UPDATE OF name, on_sale ON p
             WHEN NEW.changed IS OLD.changed AND NEW.on_sale = 1 BEGIN
             UPDATE p SET changed = datetime('now'), on_sale = 0 WHERE id = OLD.id; END;""",
        ("UPDATE p SET name = 'x'", "UPDATE p SET n = 5", "UPDATE p SET on_sale = TRUE WHERE id = 2"),
    ),
    "a counter is kept": Shape(
        ITEMS,
        """CREATE TRIGGER c_i AFTER INSERT ON c BEGIN UPDATE p SET n = n + 1 WHERE id = NEW.p; END;
           CREATE TRIGGER c_d AFTER DELETE ON c BEGIN UPDATE p SET n = n - 1 WHERE id = OLD.p; END;
           CREATE TRIGGER c_u AFTER UPDATE OF p ON c WHEN OLD.p IS NOT NEW.p BEGIN
             UPDATE p SET n = n - 1 WHERE id = OLD.p; UPDATE p SET n = n + 1 WHERE id = NEW.p; END;""",
        ("INSERT INTO c VALUES (4, 1, 'd'), (5, 2, 'e'), (6, NULL, 'f'), (7, 9, 'g')",
         "UPDATE c SET p = 2", "DELETE FROM c WHERE id < 5", "UPDATE c SET p = NULL WHERE id = 5"),
    ),
    "a counter is counted anew": Shape(
        ITEMS,
        """CREATE TRIGGER c_i AFTER INSERT ON c BEGIN
             UPDATE p SET n = (SELECT count(*) FROM c WHERE c.p = p.id) WHERE id = NEW.p; END;""",
        ("INSERT INTO c VALUES (4, 1, 'd')", "INSERT INTO c VALUES (5, 2, NULL)"),
    ),
    "a log is written": Shape(
        ITEMS,
        """CREATE TRIGGER l_i AFTER INSERT ON p BEGIN
             INSERT INTO log (what, p, at) VALUES ('new ' || NEW.name, NEW.id, datetime('now')); END;
           CREATE TRIGGER l_u AFTER UPDATE ON p WHEN OLD.name <> NEW.name BEGIN
             INSERT INTO log SELECT NULL, "renamed", NEW.id, OLD.name, OLD.changed; END;
           CREATE TRIGGER l_d AFTER DELETE ON p BEGIN
             INSERT INTO log (p, what, was) SELECT c.p, 'orphan', c.word FROM c WHERE c.p = OLD.id;
             INSERT INTO log (what, p) VALUES ('gone', OLD.id), ('really', -OLD.id); END;""",
        ("INSERT INTO p VALUES (3, 'three', 0, NULL, NULL)", "UPDATE p SET name = 'uno' WHERE id = 1",
         "UPDATE p SET n = 2", "DELETE FROM p WHERE id = 1"),
    ),
    "what refers to it is deleted by hand": Shape(
        ITEMS + "CREATE TABLE word (word TEXT PRIMARY KEY); INSERT INTO word VALUES ('a'), ('b'), ('z');",
        """CREATE TRIGGER p_d AFTER DELETE ON p BEGIN
             DELETE FROM c WHERE p = old.id AND word IN ('a', 'c'); END;
           CREATE TRIGGER c_d AFTER DELETE ON c BEGIN
             DELETE FROM word WHERE word = old.word AND word NOT IN (SELECT DISTINCT word FROM c); END;""",
        ("DELETE FROM p WHERE id = 1", "DELETE FROM c WHERE word = 'b'", "DELETE FROM p"),
    ),
    "what nothing refers to any more goes before it": Shape(
        ITEMS,
        """CREATE TRIGGER c_d BEFORE DELETE ON c WHEN OLD.p NOT NULL BEGIN
             DELETE FROM p WHERE id = OLD.p AND NOT EXISTS
               (SELECT id FROM c WHERE p = OLD.p AND id <> OLD.id LIMIT 1); END;""",
        ("DELETE FROM c WHERE id = 1", "DELETE FROM c WHERE id = 2", "DELETE FROM c"),
    ),
    "what may not be is refused": Shape(
        ITEMS,
        """CREATE TRIGGER p_i BEFORE INSERT ON p BEGIN
             SELECT RAISE(ABORT, '100% wrong: it''s "no" $$') WHERE NEW.name LIKE '%!%';
             SELECT RAISE(FAIL, 'too many') WHERE NEW.n > 5;
             SELECT CASE WHEN NEW.n < 0 THEN RAISE(ROLLBACK, 'below 0')
               WHEN NEW.n = 5 THEN RAISE(ABORT, 'five') ELSE NULL END; END;
           CREATE TRIGGER c_i BEFORE INSERT ON c BEGIN
             SELECT CASE WHEN ((SELECT id FROM p WHERE id = NEW.p) IS NULL)
               THEN RAISE(ABORT, 'no such p') END;
             SELECT RAISE(ABORT, 'twice') FROM c WHERE word = NEW.word; END;
           CREATE TRIGGER p_d BEFORE DELETE ON p BEGIN
             SELECT RAISE(ABORT, 'in use') WHERE (SELECT max(id) FROM c WHERE p = OLD.id) > 0; END;
           CREATE TRIGGER c_u BEFORE UPDATE OF id ON c WHEN NEW.id <> OLD.id BEGIN
             SELECT RAISE(ABORT, 'kept'); END;""",
        ("INSERT INTO p VALUES (3, 'x!', 1, NULL, NULL)", "INSERT INTO p VALUES (3, 'x', 6, NULL, NULL)",
         "INSERT INTO p VALUES (3, 'x', -1, NULL, NULL)", "INSERT INTO p VALUES (3, 'x', 5, NULL, NULL)",
         "INSERT INTO p VALUES (3, 'x', 4, NULL, NULL)", "INSERT INTO c VALUES (9, 8, 'z')",
         "INSERT INTO c VALUES (9, 3, 'a')", "INSERT INTO c VALUES (9, 3, 'z')", "DELETE FROM p WHERE id = 3",
         "DELETE FROM c WHERE p = 3", "DELETE FROM p WHERE id = 3", "UPDATE c SET id = 5 WHERE id = 3",
         "UPDATE c SET id = id"),
    ),
    "a number that is NULL is the next one": Shape(
        ITEMS,
        """CREATE TRIGGER c_i AFTER INSERT ON c BEGIN
             INSERT INTO log (id, what) VALUES (NEW.p, 'p');
             INSERT OR IGNORE INTO log (id, what) SELECT NEW.p, 'again' WHERE NEW.p > 5; END;""",
        ("INSERT INTO c VALUES (4, NULL, 'x')", "INSERT INTO c VALUES (5, 9, 'y')"),
    ),
    "what may not be is passed over": Shape(
        ITEMS,
        """CREATE TRIGGER c_i BEFORE INSERT ON c BEGIN
             INSERT INTO log (what) VALUES (NEW.word);
             SELECT RAISE(IGNORE) WHERE NEW.p IS NULL; END;
           CREATE TRIGGER c_d BEFORE DELETE ON c WHEN OLD.word = 'b' BEGIN SELECT RAISE(IGNORE); END;""",
        ("INSERT INTO c VALUES (4, NULL, 'x'), (5, 1, 'y'), (6, NULL, 'z')", "DELETE FROM c"),
    ),
    "what is there already is passed over": Shape(
        ITEMS + "CREATE TABLE tag (name TEXT NOT NULL UNIQUE, n INTEGER DEFAULT 1);"
        "INSERT INTO tag VALUES ('a', 1);",
        """CREATE TRIGGER c_i AFTER INSERT ON c BEGIN
             INSERT OR IGNORE INTO tag (name) VALUES (NEW.word); END;
           CREATE TRIGGER c_u AFTER UPDATE ON c WHEN NEW.word NOT NULL BEGIN
             INSERT INTO tag (name, n) VALUES (NEW.word, 5)
               ON CONFLICT (name) DO UPDATE SET n = n + excluded.n WHERE n < 9; END;
           CREATE TRIGGER c_d AFTER DELETE ON c BEGIN
             INSERT INTO tag (name) VALUES ('gone') ON CONFLICT DO NOTHING; END;""",
        ("INSERT INTO c VALUES (4, 1, 'a'), (5, 1, 'n'), (6, 1, NULL)", "UPDATE c SET word = 'a' WHERE id = 5",
         "UPDATE c SET word = 'b' WHERE id > 4", "DELETE FROM c"),
    ),
    "one sets off another, and none itself": Shape(
        ITEMS,
        """CREATE TRIGGER a AFTER UPDATE ON p BEGIN
             UPDATE c SET word = word || 'p' WHERE p = NEW.id;
             INSERT INTO log (what, p) VALUES ('a', NEW.id); END;
           CREATE TRIGGER b AFTER UPDATE ON c BEGIN
             UPDATE p SET n = n + 1 WHERE id = NEW.p;
             INSERT INTO log (what, p) VALUES ('b', NEW.id); END;""",
        ("UPDATE p SET n = 100 WHERE id = 1", "UPDATE c SET word = 'w' WHERE id = 1"),
    ),
    "a foreign key sets it off": Shape(
        """PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER);
           CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
           CREATE TABLE log (what TEXT, id INTEGER);
           INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);""",
        """CREATE TRIGGER c_d AFTER DELETE ON c BEGIN INSERT INTO log VALUES ('gone', OLD.id); END;
           CREATE TRIGGER c_u AFTER UPDATE OF p ON c BEGIN INSERT INTO log VALUES ('moved', NEW.p); END;""",
        ("UPDATE p SET id = 5 WHERE id = 2", "DELETE FROM p WHERE id = 5"),
    ),
    "a change that is taken back leaves no mark": Shape(
        ITEMS,
        """CREATE TRIGGER touch AFTER UPDATE ON p BEGIN
             UPDATE p SET n = n + 1 WHERE id = NEW.id;
             UPDATE c SET word = NEW.name WHERE p = NEW.id AND id < 3; END;
           CREATE TRIGGER no BEFORE UPDATE ON c WHEN NEW.word = 'no' BEGIN SELECT RAISE(ABORT, 'no'); END;""",
        ("BEGIN", "UPDATE p SET n = 50 WHERE id = 2", "SAVEPOINT s", "UPDATE p SET name = 'no' WHERE id = 1",
         "ROLLBACK TO SAVEPOINT s", "UPDATE p SET name = 'yes' WHERE id = 1", "COMMIT", "UPDATE p SET n = 7"),
    ),
    "columns that are computed": Shape(
        """CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1) STORED, c TEXT DEFAULT (lower('X')));
           CREATE TABLE u (n INTEGER); INSERT INTO t (a) VALUES (1); INSERT INTO u VALUES (5);""",
        """CREATE TRIGGER u_i AFTER INSERT ON u BEGIN
             INSERT INTO t (a) VALUES (NEW.n); UPDATE t SET a = a + 1 WHERE b = 2; END;
           CREATE TRIGGER u_d AFTER DELETE ON u BEGIN INSERT INTO t VALUES (OLD.n, 'c'); END;""",
        ("INSERT INTO u VALUES (7)", "DELETE FROM u"),
    ),
    "a foreign key acts first": Shape(
        """PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);
           CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);
           CREATE TABLE log (what TEXT, n INTEGER);
           INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);""",
        """CREATE TRIGGER "Count" AFTER DELETE ON p BEGIN
             INSERT INTO log VALUES ('left', (SELECT count(*) FROM c)); END;
           CREATE TRIGGER "Before" BEFORE DELETE ON p BEGIN
             INSERT INTO log VALUES ('had', (SELECT count(*) FROM c)); END;""",
        ("DELETE FROM p WHERE id = 1",),
    ),
    "a foreign key leads back to it": Shape(
        """PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);
           CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);
           CREATE TABLE log (id INTEGER);
           INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);""",
        """CREATE TRIGGER c_d AFTER DELETE ON c BEGIN
             DELETE FROM p WHERE id = OLD.p; INSERT INTO log VALUES (OLD.id); END;""",
        ("DELETE FROM c WHERE id = 1",),
    ),
    "a body of several kinds of values": Shape(
        """CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN, r REAL, d DATE, s TEXT, k INTEGER);
           CREATE TABLE h (id INTEGER PRIMARY KEY, flag BOOLEAN, r REAL, d DATE, s TEXT, k INTEGER, m TEXT);
           INSERT INTO t VALUES (1, 1, 0.5, '2001-02-03', 'x', 7); INSERT INTO h VALUES (9, 0, 1.5, '2001-02-03', 'y', 8, 'm');""",
        """CREATE TRIGGER t_u AFTER UPDATE ON t BEGIN
             INSERT INTO h VALUES (OLD.id, NEW.flag, NEW.r * 2, OLD.d, OLD.d, NEW.k / 2, NEW.k || 'k');
             UPDATE h SET flag = NEW.k > 3, s = CASE WHEN NEW.flag THEN 'on' ELSE 'off' END WHERE id = 9;
             UPDATE h SET flag = NOT OLD.flag, r = k WHERE id = OLD.id; END;""",
        ("UPDATE t SET flag = FALSE, r = 2.25, k = -3",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_both_sides_hold_the_same_afterwards(target: psycopg.Connection, shape: Shape) -> None:
    both = Both(shape.tables + shape.triggers, target, "shape")
    try:
        assert [o.facts for o in both.plan.objects if o.kind == "trigger"] == []
        for change in shape.changes:
            ours, theirs = both.run(change)
            assert ours == theirs, change
            if theirs is None:  # a transaction that failed answers nothing
                for name, source, held in both.rows():
                    assert source == held, (change, name)
    finally:
        both.close()


REFUSED = {
    "UPDATE nowhere SET a = 1": "nowhere, which is not carried",
    "UPDATE v SET id = 1": "v, a view",
    "UPDATE OR IGNORE p SET n = 1": "UPDATE OR",
    "UPDATE p SET n = 1 FROM c": "UPDATE FROM",
    "UPDATE p SET (n, name) = (1, 'x')": "several columns",
    "UPDATE p SET n = 1, n = 2": "twice",
    "UPDATE p SET n = NEW.word": "a text for n",
    "UPDATE p SET n = (SELECT max(n) FROM p) + 1": "row by row",
    "UPDATE p SET changed = 'soon'": "changed, timestamp",
    "UPDATE p SET n = 1 WHERE rowid = OLD.rowid": "rowid",
    "UPDATE nokey SET a = 1 WHERE rowid = NEW.id": "rowid",
    "INSERT OR REPLACE INTO p (id, name) VALUES (1, 'x')": "REPLACE",
    "REPLACE INTO p (id, name) VALUES (1, 'x')": "REPLACE",
    "INSERT OR IGNORE INTO checked VALUES (1)": "checked",
    "INSERT INTO settled VALUES (1)": "ON CONFLICT",
    "INSERT INTO timed (a) VALUES (1)": "leaves out timed.at",
    "INSERT INTO summed (a) VALUES (1)": "summed",
    "UPDATE summed SET a = 1": "generated",
    "INSERT INTO p VALUES (1, 'x')": "other columns",
    "INSERT INTO log (id) VALUES (NULL)": "nothing but a number",
    "INSERT INTO log SELECT * FROM c": "several parts",
    "INSERT INTO log (p) SELECT p FROM c ORDER BY 1": "several parts",
    "INSERT INTO log (p) SELECT p FROM c UNION SELECT 1": "several parts",
    "INSERT INTO log (p) SELECT c.p FROM c JOIN p": "several tables",
    "INSERT INTO log (p) VALUES (1) ON CONFLICT (what) DO NOTHING": "no key",
    "DELETE FROM c WHERE p IN (SELECT id FROM p LIMIT 1)": "LIMIT",
    "DELETE FROM c WHERE p = (SELECT id FROM p WHERE name = 'x')": "may find several",
    "DELETE FROM c WHERE p = (SELECT sum(n) FROM p)": "sum()",
    "DELETE FROM c WHERE word IN (SELECT name FROM p GROUP BY name)": "several parts",
    "DELETE FROM c WHERE word > (NEW.p, 1)": "RowValue",
    "SELECT 1": "changes nothing",
    "SELECT RAISE(IGNORE)": "after the row",
    "SELECT CASE WHEN 1 THEN RAISE(ABORT, 'a') ELSE abs(1) END": "changes nothing",
    "SELECT load_extension('x')": "changes nothing",
    "DELETE FROM c WHERE app(word)": "app()",
}


@pytest.mark.parametrize(("statement", "why"), REFUSED.items())
def test_a_body_is_said_whole_or_refused(statement: str, why: str) -> None:
    others = """CREATE VIEW v AS SELECT id FROM p; CREATE TABLE nokey (a INTEGER);
        CREATE TABLE checked (a INTEGER CHECK (a > 0));
        CREATE TABLE settled (a INTEGER UNIQUE ON CONFLICT REPLACE);
        CREATE TABLE timed (a INTEGER, at TEXT DEFAULT (quote(random())));
        CREATE TABLE summed (a INTEGER, b TEXT AS (quote(a)));"""
    trigger = f"CREATE TRIGGER x AFTER INSERT ON c BEGIN UPDATE p SET n = 1; {statement}; END;"
    (fate,) = (o for o in planned(ITEMS + others + trigger).objects if o.kind == "trigger")
    assert (fate.fate, fate.reason, fate.counts) == (Fate.NOT_CARRIED, "trigger", True)
    assert why in fate.facts["detail"]
    assert fate.original.startswith("CREATE TRIGGER x")


WHOLE = {
    "AFTER UPDATE ON p WHEN app(NEW.n) BEGIN UPDATE c SET p = 1; END": "app()",
    "BEFORE UPDATE ON p BEGIN UPDATE p SET n = 1 WHERE id = 2; END": "fires before",
    "BEFORE UPDATE ON p BEGIN DELETE FROM p WHERE id = 2; END": "fires before",
    "BEFORE INSERT ON p BEGIN INSERT INTO log (p) VALUES (NEW.id); END": "NEW.id",
    "BEFORE INSERT ON p BEGIN INSERT INTO log (p) VALUES (NEW.rowid); END": "NEW.id",
    "AFTER UPDATE ON two BEGIN UPDATE two SET b = 2 WHERE rowid = NEW.rowid; END": "the key",
    "AFTER DELETE ON two BEGIN DELETE FROM two WHERE rowid = OLD.rowid; END": "rowid",
    "INSTEAD OF INSERT ON w BEGIN INSERT INTO p (name) VALUES ('x'); END": "w, which is not",
    "INSTEAD OF UPDATE OF id ON v BEGIN DELETE FROM p; END": "INSTEAD OF UPDATE OF",
    "INSTEAD OF INSERT ON v BEGIN INSERT INTO v (id) VALUES (1); END": "fires before",
    "AFTER UPDATE OF gone ON p BEGIN UPDATE c SET p = 1; END": "not carried",
}


@pytest.mark.parametrize(("trigger", "why"), WHOLE.items())
def test_a_trigger_is_said_whole_or_refused(trigger: str, why: str) -> None:
    others = "CREATE VIEW v AS SELECT id FROM p; CREATE VIEW w AS SELECT app(id) AS x FROM p; CREATE TABLE two (a, b, PRIMARY KEY (a, b));"
    plan = planned(f"{ITEMS}{others}CREATE TRIGGER x {trigger};")
    (fate,) = (o for o in plan.objects if o.kind == "trigger")
    assert (fate.fate, fate.reason) == (Fate.NOT_CARRIED, "trigger")
    assert why in fate.facts["detail"]
    assert not [b for b in plan.builds if b.kind is BuildKind.TRIGGER]


def _column(name: str, kind: str, rule: str, affinity: Affinity) -> Place:
    conversion = Conversion(TargetType(kind), rule)
    return Place(source=name, target=name, conversion=conversion, affinity=affinity, most=9)


K = _column("k", types.BIGINT, "integer", Affinity.INTEGER)
V = _column("v", types.TEXT, "text", Affinity.TEXT)
TWO = "CREATE TABLE a (k INTEGER, v TEXT); CREATE TABLE b (k INTEGER, v TEXT);"
JOINT = "CREATE VIEW joint AS SELECT k, v FROM a UNION ALL SELECT k, v FROM b"
INSTEAD = (
    """CREATE TRIGGER i INSTEAD OF INSERT ON joint WHEN new.k IS NOT NULL BEGIN
         INSERT INTO a SELECT new.k, new.v WHERE (new.k%2)==0;
         INSERT INTO b SELECT new.k, new.v WHERE (new.k%2)==1; END""",
    """CREATE TRIGGER d INSTEAD OF DELETE ON joint BEGIN
         DELETE FROM a WHERE k = OLD.k; DELETE FROM b WHERE k = OLD.k; END""",
    """CREATE TRIGGER u INSTEAD OF UPDATE ON joint BEGIN
         SELECT RAISE(IGNORE) WHERE NEW.v = 'no'; UPDATE a SET v = NEW.v WHERE k = OLD.k; END""",
)
VIEW_CHANGES = (
    "INSERT INTO joint VALUES (1, 'x'), (2, 'y'), (4, NULL), (NULL, 'z')",
    "UPDATE joint SET v = v || '!'",
    "UPDATE joint SET v = 'no' WHERE k = 2",
    "DELETE FROM joint WHERE k < 3",
)


def test_a_view_is_changed_by_what_stands_in_its_place(target: psycopg.Connection) -> None:
    both = Both(TWO, target, "instead")
    world: dict[str, Subject] = {
        name: Subject(name=name, target=f"instead.{name}", places=(K, V), is_view=name == "joint")
        for name in ("a", "b", "joint")
    }
    try:
        both.source.execute(JOINT)
        target.execute(JOINT.encode())
        for sql in INSTEAD:
            trigger = read_trigger(sql)
            name = trigger.tree.trigger_name
            naming = Naming(schema="instead", trigger=name, function=name)
            both.source.execute(sql)
            target.execute(said_trigger(trigger, naming, world).encode())
        for change in VIEW_CHANGES:
            assert both.run(change) == (None, None)
            for table, source, held in both.rows():
                assert source == held, (change, table)
    finally:
        both.close()


def _said(trigger: str) -> str:
    plan = planned(f"{ITEMS}CREATE TRIGGER {trigger};")
    (build,) = (b for b in plan.builds if b.kind is BuildKind.TRIGGER)
    assert plan.builds[-1] is build
    assert build.fate.reason == "trigger_said"
    assert build.fate.original == f"CREATE TRIGGER {trigger}"
    return build.sql


def test_what_is_said() -> None:
    trigger = "touch AFTER UPDATE ON p BEGIN UPDATE p SET n = 1 WHERE rowid = NEW.rowid; END"
    mark = _said(trigger).split("'")[1]
    assert mark.startswith("firing.t_touch_")
    assert _said(trigger) == (
        'CREATE FUNCTION "public"."touch"() RETURNS trigger\n'
        'LANGUAGE plpgsql SET search_path = pg_catalog, "public", pg_temp AS $$\n'
        "BEGIN\n"
        f"  PERFORM set_config('{mark}', 'on', true);\n"
        '  UPDATE "public"."p" AS t SET "n" = 1 WHERE t."id" = NEW."id";\n'
        f"  PERFORM set_config('{mark}', '', true);\n"
        "  RETURN NULL;\n"
        "END\n"
        "$$;\n"
        'CREATE TRIGGER "touch" AFTER UPDATE ON "public"."p"\n'
        f"FOR EACH ROW WHEN (coalesce(current_setting('{mark}', true), '') <> 'on')"
        ' EXECUTE FUNCTION "public"."touch"()'
    )


def test_a_mark_is_set_only_where_it_may_come_back() -> None:
    assert "firing" not in _said("t AFTER INSERT ON p BEGIN UPDATE p SET n = 1; END")
    assert "firing" in _said(
        "t AFTER INSERT ON p BEGIN INSERT INTO p (name) SELECT 'x' WHERE 0; END"
    )


def test_a_body_may_hold_any_text() -> None:
    said = _said("t AFTER INSERT ON p BEGIN INSERT INTO log (what) VALUES ('$$ $body1$; '';'); END")
    assert said.count("$body2$") == 2


def test_names_that_postgres_cannot_have_are_given_anew() -> None:
    long = "n" * 80
    said = _said(f'"{long}" AFTER INSERT ON p BEGIN INSERT INTO log (what) VALUES (1); END')
    assert long not in said
    assert said.count("n" * 54) == 3
