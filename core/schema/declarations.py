"""What PRAGMAs do not tell, read from the CREATE text that SQLite keeps.

SQLite has parsed the text already, so it is well formed; what is left is to find
the pieces in it. The walk goes over the tokens of ``syntaqlite`` (SQLite's own
lexer) rather than over its tree: the tree has no positions and drops the quotes
of names, while the tokens give each name and each expression exactly as written.
No word that starts a constraint can be a bare name (https://sqlite.org/lang_keywords.html,
parse.y's fallback list), so outside of parentheses such a word is always one.

The readers return None when the text and the columns SQLite reports disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from syntaqlite import Syntaqlite, SyntaqliteError  # type: ignore[import-untyped]

from core.schema.model import Check, ConflictClause
from core.schema.names import unquoted


@dataclass(frozen=True, kw_only=True)
class DeclaredKey:
    """A PRIMARY KEY or UNIQUE constraint; a term is a column and its own collation, if any."""

    kind: str
    name: str | None
    terms: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, kw_only=True)
class DeclaredForeignKey:
    """What ``PRAGMA foreign_key_list`` leaves out of a foreign key."""

    name: str | None
    deferrable: bool = False
    initially_deferred: bool = False


@dataclass(frozen=True, kw_only=True)
class TableDeclaration:
    """The pieces of a CREATE TABLE text, each list in the order of writing.

    ``generation`` pairs a generated column with its expression.
    """

    columns: tuple[str, ...]
    generation: tuple[tuple[str, str], ...]
    checks: tuple[Check, ...]
    keys: tuple[DeclaredKey, ...]
    foreign_keys: tuple[DeclaredForeignKey, ...]
    conflict_clauses: tuple[ConflictClause, ...]


@dataclass(frozen=True, kw_only=True)
class IndexDeclaration:
    """The terms of a CREATE INDEX, without COLLATE, ASC and DESC, and its WHERE."""

    terms: tuple[str, ...]
    where: str | None


def read_table_declaration(sql: str, columns: Sequence[str]) -> TableDeclaration | None:
    """The pieces of ``sql``, a CREATE TABLE whose columns SQLite says are ``columns``."""
    try:
        found = _TableWalk(_Text(sql)).declaration()
    except _Unreadable:
        return None
    return found if found.columns == tuple(columns) else None


def read_index_declaration(sql: str, term_count: int) -> IndexDeclaration | None:
    """The pieces of ``sql``, a CREATE INDEX that SQLite says has ``term_count`` terms."""
    try:
        text = _Text(sql)
        opening = text.find("(")
        closing = text.closing(opening)
        terms = tuple(_bare_term(text, *term) for term in text.listed(opening, closing))
    except _Unreadable:
        return None
    where = text.between(closing + 2, text.end) if text.words[closing + 1] == "WHERE" else None
    return IndexDeclaration(terms=terms, where=where) if len(terms) == term_count else None


def read_module(sql: str) -> str | None:
    """The module of a CREATE VIRTUAL TABLE text."""
    try:
        text = _Text(sql)
        return text.name(text.find("USING") + 1)
    except _Unreadable:
        return None


def read_module_arguments(sql: str) -> tuple[str, ...]:
    """The arguments of a CREATE VIRTUAL TABLE text, each as written."""
    try:
        text = _Text(sql)
        opening = text.find("USING") + 2
        if text.words[opening] != "(":
            return ()
        listed = text.listed(opening, text.closing(opening))
        return tuple(text.between(*term) for term in listed)
    except _Unreadable:
        return ()


def bare(expression: str) -> str:
    """``expression`` without the comments and blanks around it, which SQLite keeps."""
    text = _Text(expression)
    return text.between(0, text.end)


def parses(sql: str) -> bool:
    """Whether ``sql`` is one statement of SQLite's grammar."""
    return len(_statements(sql)) == 1


@lru_cache(maxsize=4096)
def is_literal(expression: str) -> bool:
    """Whether ``expression``, a column's default, is a constant written out.

    A bare or double-quoted word in a default is a string to SQLite, TRUE and
    FALSE are numbers (https://sqlite.org/lang_createtable.html section 3.2).
    """
    node = _expression(expression)
    while node is not None and node["type"] in ("ParenExpr", "UnaryExpr"):
        if node.get("op", "PLUS") not in ("PLUS", "MINUS"):
            return False
        node = node.get("expr") or node.get("operand")
    if node is None:
        return False
    if node["type"] == "Literal":
        return bool(node["literal_type"] != "CURRENT")
    return bool(node["type"] == "ColumnRef" and node["table"] is None)


# --- the text and its tokens --------------------------------------------------


class _Unreadable(Exception):
    """The text is not built as this module expects."""


@cache
def _grammar() -> tuple[Syntaqlite, Lock]:
    """One instance for the process; it serves one caller at a time."""
    return Syntaqlite(), Lock()


def _ask(
    question: Callable[[Syntaqlite, str], list[dict[str, Any]]], sql: str
) -> list[dict[str, Any]]:
    grammar, lock = _grammar()
    with lock:
        try:
            return question(grammar, sql)
        except SyntaqliteError:
            return []


def _statements(sql: str) -> list[dict[str, Any]]:
    return _ask(Syntaqlite.parse_raw, sql)


def _expression(expression: str) -> dict[str, Any] | None:
    """The tree of ``expression``, None if it is not a single expression."""
    # The line break ends a comment that the expression may end with.
    statements = _statements(f"SELECT {expression}\n")
    if len(statements) != 1 or statements[0]["type"] != "SelectStmt":
        return None
    columns = statements[0]["columns"]["children"]
    tree: dict[str, Any] | None = columns[0]["expr"] if len(columns) == 1 else None
    return tree


def parsed(expression: str) -> Any:
    """The tree of ``expression`` in typed nodes (:mod:`syntaqlite.nodes`), None if it is
    not a single expression."""
    if _expression(expression) is None:
        return None
    grammar, lock = _grammar()
    with lock:
        return grammar.parse(f"SELECT {expression}\n")[0].columns[0].expr


def parsed_statement(sql: str) -> Any:
    """The tree of ``sql`` in typed nodes (:mod:`syntaqlite.nodes`), None if it is not a
    single statement."""
    if not parses(sql):
        return None
    grammar, lock = _grammar()
    with lock:
        return grammar.parse(sql)[0]


def tokens(sql: str) -> Iterator[tuple[str, str]]:
    """The pieces of ``sql`` in order, each with its category: 'comment', 'other' for blanks,
    'punctuation' and so on; nothing when SQLite's lexer refuses it."""
    for token in _ask(Syntaqlite.tokenize, sql):
        yield token["category"], token["text"]


Node = dict[str, Any]
"""A node of a tree as ``syntaqlite`` gives it: its "type", and its parts by name."""


def expression_nodes(expression: str) -> tuple[Node, ...]:
    """All nodes of a text that is one expression and nothing besides, even between
    parentheses; () for any other text."""
    # By itself it must not end in the middle; between parentheses it can have no alias,
    # no FROM and no comment that swallows what follows.
    whole = _expression(f"({expression})")
    if whole is None or whole["type"] != "ParenExpr" or _expression(expression) is None:
        return ()
    return tuple(_nodes(whole))


def _nodes(tree: Any) -> Iterator[Node]:
    if isinstance(tree, dict):
        if "type" in tree:
            yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class _Text:
    """A statement as tokens; ``words`` are those that mean something, keywords in upper case.

    A place is a position in ``words``; the last, ``end``, holds an empty word.
    """

    def __init__(self, sql: str) -> None:
        tokens = _ask(Syntaqlite.tokenize, sql)
        self._pieces: list[str] = [token["text"] for token in tokens]
        # "other" is blanks: what SQLite has no word for it would not have stored.
        meaningless = ("comment", "other")
        self._places = [
            at for at, token in enumerate(tokens) if token["category"] not in meaningless
        ]
        while self._places and self._pieces[self._places[-1]] == ";":
            self._places.pop()
        self.words = [self._pieces[at].translate(_UPPER) for at in self._places]
        self.end = len(self.words)
        # Looking one or two words ahead needs no bounds check.
        self.words += [""] * 3

    def find(self, word: str) -> int:
        """The first place of ``word``."""
        if word not in self.words:
            raise _Unreadable(word)
        return self.words.index(word)

    def name(self, place: int) -> str:
        """The name that the token at ``place`` stands for."""
        if place >= self.end:
            raise _Unreadable
        return unquoted(self._pieces[self._places[place]])

    def between(self, first: int, stop: int) -> str:
        """The text from place ``first`` up to place ``stop``, without comments around it."""
        if first >= stop:
            return ""
        return "".join(self._pieces[self._places[first] : self._places[stop - 1] + 1])

    def closing(self, opening: int) -> int:
        """The place of the parenthesis that closes the one at ``opening``."""
        if self.words[opening] != "(":
            raise _Unreadable
        depth = 0
        for place in range(opening, self.end):
            depth += {"(": 1, ")": -1}.get(self.words[place], 0)
            if depth == 0:
                return place
        raise _Unreadable

    def listed(self, opening: int, closing: int) -> Iterator[tuple[int, int]]:
        """First and stop place of each term of the list in parentheses."""
        first = place = opening + 1
        while place < closing:
            if self.words[place] == ",":
                yield first, place
                first = place + 1
            place = self.closing(place) + 1 if self.words[place] == "(" else place + 1
        yield first, closing


def _bare_term(text: _Text, first: int, stop: int) -> str:
    if text.words[stop - 1] in ("ASC", "DESC"):
        stop -= 1
    # COLLATE binds tighter than any operator: in a || b COLLATE x it belongs to b.
    while (tree := _expression(text.between(first, stop))) and tree["type"] == "CollateExpr":
        stop -= 2
    return text.between(first, stop)


# --- CREATE TABLE --------------------------------------------------------------

_TABLE_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")


class _TableWalk:
    """One walk over the words between the parentheses of a CREATE TABLE.

    ``_column`` is the column being declared, None among table constraints;
    ``_name`` is what CONSTRAINT called the next constraint; ``_last`` is the
    constraint that a following ON CONFLICT belongs to.
    """

    def __init__(self, text: _Text) -> None:
        self._text = text
        self._columns: list[str] = []
        self._generation: list[tuple[str, str]] = []
        self._checks: list[Check] = []
        self._keys: list[DeclaredKey] = []
        self._foreign_keys: list[DeclaredForeignKey] = []
        self._conflicts: list[ConflictClause] = []
        self._among_constraints = False
        self._column: str | None = None
        self._name: str | None = None
        self._last: tuple[str, tuple[str, ...]] | None = None
        self._readers: dict[str, Callable[[int], int]] = {
            ",": self._read_comma,
            "(": lambda at: self._text.closing(at) + 1,
            "CONSTRAINT": self._read_name,
            "CHECK": self._read_check,
            "AS": self._read_generation,
            "PRIMARY": lambda at: self._read_key("PRIMARY KEY", at + 2),
            "UNIQUE": lambda at: self._read_key("UNIQUE", at + 1),
            "NOT": self._read_not,
            "NULL": self._read_unlisted,
            "DEFAULT": self._read_unlisted,
            "COLLATE": self._read_unlisted,
            "REFERENCES": self._read_references,
            "DEFERRABLE": self._read_deferrable,
            "ON": self._read_conflict,
        }

    def declaration(self) -> TableDeclaration:
        opening = self._text.find("(")
        closing = self._text.closing(opening)
        at = self._read_item(opening + 1)
        while at < closing:
            reader = self._readers.get(self._text.words[at])
            at = reader(at) if reader else at + 1
        return TableDeclaration(
            columns=tuple(self._columns),
            generation=tuple(self._generation),
            checks=tuple(self._checks),
            keys=tuple(self._keys),
            foreign_keys=tuple(self._foreign_keys),
            conflict_clauses=tuple(self._conflicts),
        )

    def _read_comma(self, at: int) -> int:
        self._name = self._last = None
        return self._read_item(at + 1)

    def _read_item(self, at: int) -> int:
        """A column's name, or the first of the table constraints: those come last."""
        if self._among_constraints or self._text.words[at] in _TABLE_CONSTRAINTS:
            self._among_constraints = True
            self._column = None
            return at
        self._column = self._text.name(at)
        self._columns.append(self._column)
        return at + 1

    def _read_name(self, at: int) -> int:
        self._name = self._text.name(at + 1)
        return at + 2

    def _taken_name(self) -> str | None:
        """The name, for the constraint it stands before and for no other."""
        name, self._name = self._name, None
        return name

    def _read_check(self, at: int) -> int:
        closing = self._text.closing(at + 1)
        expression = self._text.between(at + 2, closing)
        self._checks.append(
            Check(name=self._taken_name(), expression=expression, column=self._column)
        )
        self._last = ("CHECK", (self._column,) if self._column is not None else ())
        return closing + 1

    def _read_generation(self, at: int) -> int:
        closing = self._text.closing(at + 1)
        if self._column is None:
            raise _Unreadable
        self._generation.append((self._column, self._text.between(at + 2, closing)))
        self._name = None
        return closing + 1

    def _read_key(self, kind: str, at: int) -> int:
        if self._column is not None:
            terms: tuple[tuple[str, str | None], ...] = ((self._column, None),)
        else:
            closing = self._text.closing(at)
            terms = tuple(self._key_term(first) for first, _ in self._text.listed(at, closing))
            at = closing + 1
        self._keys.append(DeclaredKey(kind=kind, name=self._taken_name(), terms=terms))
        self._last = (kind, tuple(column for column, _ in terms))
        return at

    def _key_term(self, at: int) -> tuple[str, str | None]:
        collated = self._text.words[at + 1] == "COLLATE"
        return self._text.name(at), self._text.name(at + 2) if collated else None

    def _read_not(self, at: int) -> int:
        if self._text.words[at + 1] == "DEFERRABLE":
            self._set_deferrable(deferrable=False, initially_deferred=False)
        elif self._column is not None:
            self._name = None
            self._last = ("NOT NULL", (self._column,))
        return at + 2

    def _read_unlisted(self, at: int) -> int:
        """A clause that PRAGMAs tell, or that means nothing ("NULL ON CONFLICT IGNORE")."""
        self._name = self._last = None
        return at + 1

    def _read_references(self, at: int) -> int:
        self._foreign_keys.append(DeclaredForeignKey(name=self._taken_name()))
        self._last = None
        return at + 2

    def _read_deferrable(self, at: int) -> int:
        deferred = self._text.words[at + 1 : at + 3] == ["INITIALLY", "DEFERRED"]
        self._set_deferrable(deferrable=True, initially_deferred=deferred)
        return at + 1

    def _set_deferrable(self, *, deferrable: bool, initially_deferred: bool) -> None:
        """To SQLite the clause speaks of the last foreign key of the table so far."""
        if self._foreign_keys:
            self._foreign_keys[-1] = DeclaredForeignKey(
                name=self._foreign_keys[-1].name,
                deferrable=deferrable,
                initially_deferred=initially_deferred,
            )

    def _read_conflict(self, at: int) -> int:
        if self._text.words[at + 1] != "CONFLICT":
            return at + 1
        if self._last is not None:
            kind, columns = self._last
            action = self._text.words[at + 2]
            self._conflicts.append(ConflictClause(constraint=kind, columns=columns, action=action))
        return at + 3
