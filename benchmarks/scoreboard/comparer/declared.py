"""What only the text of a CREATE TABLE says: its CHECKs, and which references may wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]"""
    r"""|[0-9]+|[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*|\s+|.""",
    re.DOTALL,
)


@dataclass(frozen=True)
class _Token:
    text: str
    depth: int
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper()


@dataclass(frozen=True, kw_only=True)
class Check:
    """A CHECK: its name, '' for none, and its expression as it is written."""

    name: str
    expression: str


def checks(sql: str) -> tuple[Check, ...]:
    """The CHECKs of a CREATE TABLE, in order."""
    return tuple(_checks(sql, _tokens(sql)))


def deferrals(sql: str) -> tuple[tuple[bool, bool], ...]:
    """(deferrable, initially deferred) of each REFERENCES, in order."""
    found: list[tuple[bool, bool]] = []
    tokens = _tokens(sql)
    for place, token in enumerate(tokens):
        if token.depth == 1 and token.word == "REFERENCES":
            words = " ".join(_clause(tokens, place))
            waits = "DEFERRABLE" in words and "NOT DEFERRABLE" not in words
            found.append((waits, waits and "INITIALLY DEFERRED" in words))
    return tuple(found)


def words_of(sql: str) -> list[str]:
    """The tokens of a statement, names without their quotes."""
    return [_unquoted(token.text) for token in _tokens(sql)]


def raw_words_of(sql: str) -> list[str]:
    """The tokens of a statement as they are written."""
    return [token.text for token in _tokens(sql)]


def after_where(sql: str) -> str:
    """The condition of a CREATE INDEX; '' without one."""
    found = [t for t in _tokens(sql) if t.depth == 0 and t.word == "WHERE"]
    return sql[found[0].end :].strip() if found else ""


def _clause(tokens: list[_Token], place: int) -> Iterator[str]:
    """The words of one column or constraint after its REFERENCES."""
    for token in tokens[place + 1 :]:
        if token.depth < 1 or (token.depth == 1 and token.text == ","):
            return
        if token.depth == 1:
            if token.word in ("REFERENCES", "CHECK", "UNIQUE", "PRIMARY"):
                return
            yield token.word


def _checks(sql: str, tokens: list[_Token]) -> Iterator[Check]:
    for place, token in enumerate(tokens):
        if token.depth != 1 or token.word != "CHECK" or place + 1 >= len(tokens):
            continue
        opening = tokens[place + 1]
        if opening.text != "(":
            continue
        closing = next((t for t in tokens[place + 2 :] if t.text == ")" and t.depth == 1), None)
        if closing is not None:
            named = place >= 2 and tokens[place - 2].word == "CONSTRAINT"
            name = _unquoted(tokens[place - 1].text) if named else ""
            yield Check(name=name, expression=sql[opening.end : closing.start].strip())


def _unquoted(name: str) -> str:
    if name[:1] in "\"`'" and len(name) >= 2:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name.startswith("[") else name


def _tokens(sql: str) -> list[_Token]:
    """Everything but blanks and comments; a bracket has the depth of what is around it."""
    depth, found = 0, list[_Token]()
    for each in _TOKEN.finditer(sql):
        text = each.group()
        if text.isspace() or text.startswith(("--", "/*")):
            continue
        depth -= text == ")"
        found.append(_Token(text, depth, each.start(), each.end()))
        depth += text == "("
    return found
