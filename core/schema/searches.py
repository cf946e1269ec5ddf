"""Read a full-text search: which columns it has, and whose text it finds
(https://sqlite.org/fts5.html section 4, https://sqlite.org/fts3.html section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import apsw

from core.schema.catalogue import Catalogue
from core.schema.declarations import read_module_arguments
from core.schema.model import Affinity, Column, Search, Table
from core.schema.names import fold, unquoted
from core.source.rows import quoted

_TOKENIZERS = {"fts3": "simple", "fts4": "simple", "fts5": "unicode61"}
_UNINDEXED = "unindexed"


def read_search(catalogue: Catalogue, table: Table) -> Table:
    """The virtual table with what makes it a search, if it is one; with its columns, if it
    keeps rows of its own that can be read. Raises apsw.Error as SQLite does."""
    module = fold(table.module or "")
    if module not in _TOKENIZERS:
        return table
    arguments = read_module_arguments(table.sql)
    options = _options(arguments)
    names = _names(catalogue, table.name)
    plain = [n for n in names if fold(n) not in _unindexed(arguments, module)]
    search = Search(
        content=options.get("content"),
        columns=tuple(plain),
        tokenizer=(options.get("tokenize") or _TOKENIZERS[module]).split()[0],
        key="rowid" if module == "fts5" else "docid",
    )
    table = replace(table, search=search)
    if search.content is not None or "uncompress" in options or search.key in map(fold, names):
        return table
    return _with_rows(catalogue, table, [*names, *_language(options)])


def _with_rows(catalogue: Catalogue, table: Table, names: list[str]) -> Table:
    """The table as it is copied: its rowid is a column like any other."""
    assert table.search is not None
    key = table.search.key
    listed = ", ".join(quoted(name) for name in (key, *names))
    try:
        catalogue.rows(f"SELECT {listed} FROM main.{quoted(table.name)} LIMIT 1")
    except UnicodeDecodeError:
        pass  # of one value, which is quarantined
    except apsw.Error:
        return table
    columns = [Column(name=name, declared_type="") for name in names]
    numbered = Column(name=key, declared_type="INTEGER", affinity=Affinity.INTEGER, not_null=True)
    return replace(
        table,
        columns=(numbered, *columns),
        primary_key=(key,),
        rowid_alias=key,
        rowid_name=key,
    )


def _names(catalogue: Catalogue, table: str) -> list[str]:
    rows = catalogue.rows(
        "SELECT CAST(name AS BLOB) FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0"
        " ORDER BY cid",
        table,
    )
    return [catalogue.text(name) for (name,) in rows]


def _options(arguments: tuple[str, ...]) -> Mapping[str, str]:
    """What is said with a sign of equality, by folded name, without quotes."""
    pairs = (argument.partition("=") for argument in arguments if "=" in argument)
    return {fold(name.strip()): unquoted(value.strip()) for name, _, value in pairs}


def _unindexed(arguments: tuple[str, ...], module: str) -> set[str]:
    """The folded names of columns whose words are not found."""
    if module == "fts5":
        words = [argument.split() for argument in arguments if "=" not in argument]
        return {fold(unquoted(w[0])) for w in words if len(w) > 1 and fold(w[-1]) == _UNINDEXED}
    pairs = [argument.partition("=") for argument in arguments]
    return {fold(unquoted(v.strip())) for n, _, v in pairs if fold(n.strip()) == "notindexed"}


def _language(options: Mapping[str, str]) -> list[str]:
    return [options["languageid"]] if options.get("languageid") else []
