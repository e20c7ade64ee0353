"""Syntax tree → logical plan: which FROM entries are tables, CTEs or functions, and which subquery belongs to which block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from planner.ast import Ast, conjuncts, identifier, name_parts, span_of, subqueries, verbatim_identifier, walk
from planner.catalog import AS_NAMED, CATALOG_NAME, INFORMATION_SCHEMA, SCHEMA_NAME, SCHEMA_PREFIXES, Catalog, ReadOptions, Table
from planner.errors import AccessRefused, InvalidQuery, NotReadOnly, NotSupported, PlannerError, Status, UnknownTable, VolleyError
from planner.functions import FILE_READERS, READ_FILES, TABLE_FUNCTIONS
from planner.information_schema import VIEWS, view_sql
from planner.logical import (
    Body,
    Cte,
    CteRef,
    DerivedTable,
    FromItem,
    Join,
    JoinedItem,
    JoinKind,
    Pivoted,
    QueryBlock,
    Relation,
    Scan,
    Select,
    SetOperation,
    TableFunction,
    Values,
)
from planner.parse import ParsedSql
from planner.quoting import folded, quote_name, quote_text
from planner.read_options import BadArgument, read_call
from planner.reshape import reshape_of
from planner.spellings import DESCRIBE

JOIN_WORDS = frozenset(("semi", "anti"))
"""The parser takes these words of the kernel's joins for an alias without AS: ``t SEMI JOIN u``."""

_JOIN_KINDS: Mapping[str, JoinKind] = {
    "Join": "inner",
    "Inner": "inner",
    "CrossJoin": "inner",
    "Left": "left",
    "LeftOuter": "left",
    "Right": "right",
    "RightOuter": "right",
    "FullOuter": "full",
}
_WRITING_BODIES = frozenset(("Insert", "Update", "Delete", "Merge"))

_PATH = re.compile(r"[/\\*]|\.(parquet|csv|tsv|json|jsonl|ndjson|db|duckdb|txt)(\.|$)", re.IGNORECASE)

RECURRING = "recurring"
"""What stands before a recursive CTE's name where all rows are meant that it has found so far."""

_NO_TABLES = "There are no tables yet. To read a file, write its path in single quotes: FROM 'folder/data.parquet'."

Scope = frozenset[str]
"""The CTE names that are visible, in lower case."""


@dataclass(slots=True)
class Binder:
    """Binds one statement. Scans are called ``prefix`` and a number, in the order in which they are met.

    ``unread``: what is being bound is only asked for its columns.

    Tables are listed once: ``tables`` and ``files`` keep them for another binder of the same statement.
    """

    parsed: ParsedSql
    catalog: Catalog
    prefix: str
    scans: int = 0
    unread: bool = False
    tables: dict[tuple[str, bool], Table] = field(default_factory=dict)
    files: dict[tuple[tuple[str, ...], ReadOptions], Table] = field(default_factory=dict)

    def query(self, ast: Ast, scope: Scope = frozenset()) -> QueryBlock:
        """Binds a query block. Raises ``UnknownTable``, ``AccessRefused``, ``NotReadOnly``, ``NotSupported``, ``InvalidQuery``."""
        ctes, inner = self._ctes(ast.get("with"), scope)
        body = self._body(ast["body"], inner)
        rest = [value for key, value in ast.items() if key not in ("with", "body")]
        return QueryBlock(ast, body, ctes, self._queries(rest, inner))

    def _queries(self, root: Any, scope: Scope) -> tuple[QueryBlock, ...]:
        found = subqueries(root)
        if not found:
            return ()
        tested = {id(node["Exists"]["subquery"]) for node in walk(root, into_queries=False) if "Exists" in node}
        return tuple(replace(self.query(node, scope), exists=id(node) in tested) for node in found)

    def _ctes(self, clause: Ast | None, scope: Scope) -> tuple[tuple[Cte, ...], Scope]:
        if clause is None:
            return (), scope
        ctes: list[Cte] = []
        for ast in clause["cte_tables"]:
            if ast.get("from") is not None:
                raise self._error(NotSupported, "FROM has no place behind a CTE", ast["from"], remedy="Write WITH … SELECT … FROM ….")
            name = str(ast["alias"]["name"]["value"])
            itself = {folded(name)} if clause.get("recursive") else set()
            ctes.append(Cte(ast, name, self.query(ast["query"], scope | itself)))
            scope = scope | {folded(name)}
        return tuple(ctes), scope

    def _body(self, ast: Ast, scope: Scope) -> Body:
        if "SetOperation" in ast:
            return self._set_operation(ast, scope)
        if "Select" in ast:
            return self._select(ast["Select"], scope)
        if "Query" in ast:
            return self.query(ast["Query"], scope)
        if "Values" in ast:
            return Values(ast, self._queries(ast, scope))
        kind = next(iter(ast))
        if kind in _WRITING_BODIES:
            raise self._error(NotReadOnly, f"{kind.upper()} would change something, and only queries are accepted", ast)
        raise self._error(NotSupported, f"a query of kind {kind.upper()} is not supported", ast, remedy="Write it as SELECT.")

    def _set_operation(self, ast: Ast, scope: Scope) -> SetOperation:
        operators: list[Ast] = []
        rights: list[Ast] = []
        node = ast
        while "SetOperation" in node:
            operators.append(node["SetOperation"])
            rights.append(node["SetOperation"]["right"])
            node = node["SetOperation"]["left"]
        operands = (node, *reversed(rights))
        return SetOperation(tuple(reversed(operators)), tuple(self._body(operand, scope) for operand in operands))

    def _select(self, ast: Ast, scope: Scope) -> Select:
        if ast.get("into") is not None:
            raise self._error(
                NotReadOnly, "SELECT … INTO would make a table, and only queries are accepted", ast["into"], remedy="Leave INTO out."
            )
        reshape = reshape_of(ast, self.parsed)
        unread, self.unread = self.unread, self.unread or (reshape is not None and reshape.kind == DESCRIBE)
        items = tuple(self._item(item, scope) for item in ast["from"])
        self.unread = unread
        expressions = [value for key, value in ast.items() if key != "from"]
        return Select(ast, items, conjuncts(ast["selection"]), self._queries(expressions, scope), reshape=reshape)

    def _item(self, ast: Ast, scope: Scope) -> FromItem:
        joins = ast["joins"]
        followers = [*joins, None]
        first = self._relation(ast["relation"], scope, followed=bool(joins))
        bound: list[Join] = []
        previous = ast["relation"]
        for join, following in zip(joins, followers[1:], strict=True):
            word = join_word(previous, True)
            bound.append(self._join(join, scope, followed=following is not None, word=word))
            previous = join["relation"]
        return FromItem(first, tuple(bound))

    def _join(self, ast: Ast, scope: Scope, *, followed: bool, word: str | None) -> Join:
        operator = ast["join_operator"]
        name, constraint = next(iter(operator.items())) if type(operator) is dict else (operator, None)
        kind: JoinKind = "other" if word is not None else _JOIN_KINDS.get(name, "other")
        relation = self._relation(ast["relation"], scope, followed=followed)
        on: tuple[Ast, ...] = ()
        using: tuple[str, ...] = ()
        if type(constraint) is dict and "On" in constraint:
            on = conjuncts(constraint["On"])
        elif type(constraint) is dict and "Using" in constraint:
            using = tuple(folded(str(part["Identifier"]["value"])) for name in constraint["Using"] for part in name if "Identifier" in part)
        return Join(ast, kind, relation, on, using, constraint == "Natural", self._queries(operator, scope))

    def _relation(self, ast: Ast, scope: Scope, *, followed: bool) -> Relation:
        kind, factor = next(iter(ast.items()))
        word = join_word(ast, followed)
        alias = None if word is not None else alias_of(factor)
        match kind:
            case "Table":
                return self._table(ast, factor, alias, word, scope)
            case "Derived":
                return DerivedTable(ast, alias, self.query(factor["subquery"], scope))
            case "NestedJoin":
                return JoinedItem(ast, alias, self._item(factor["table_with_joins"], scope))
            case "UNNEST":
                return TableFunction(ast, alias or "unnest", self._queries(factor, scope))
            case "Function":
                self._check_table_function(factor["name"])
                return TableFunction(ast, alias or last_name(factor["name"]), self._queries(factor, scope))
            case "TableFunction":
                name = factor["expr"].get("Function", {}).get("name")
                self._check_table_function(name or [])
                return TableFunction(ast, alias or last_name(name), self._queries(factor, scope))
            case "Pivot" | "Unpivot":
                return Pivoted(ast, kind, alias, self._relation(factor["table"], scope, followed=False))
            case _:
                raise self._error(NotSupported, f"{kind} in FROM is not supported", ast)

    def _table(self, ast: Ast, factor: Ast, alias: str | None, word: str | None, scope: Scope) -> Relation:
        parts = name_parts(factor["name"])
        if factor.get("args") is not None:
            if last_name(factor["name"]) == READ_FILES:
                return self._scan(ast, factor, alias or READ_FILES, word, self._files(factor))
            self._check_table_function(factor["name"])
            return TableFunction(ast, alias or last_name(factor["name"]), self._queries(factor["args"], scope))
        if not parts:
            raise self._error(NotSupported, "this is not a table's name", ast)
        name = str(parts[-1]["value"])
        if _is_path(parts):
            return self._scan(ast, factor, alias or path_alias(name), word, self.table(factor["name"], parts))
        if folded(name) in scope and [folded(str(part["value"])) for part in parts[:-1]] in ([], [RECURRING]):
            return CteRef(ast, name, alias or folded(name))
        view = view_of(parts)
        if view is not None:
            return self._view(ast, factor, view, alias, word)
        scan = self._scan(ast, factor, alias or name, word, self.table(factor["name"], parts))
        return scan if alias is not None else replace(scan, in_schema=True)

    def _view(self, ast: Ast, factor: Ast, view: str, alias: str | None, word: str | None) -> Relation:
        """A view of information_schema: a subquery of rows, under the name that the user's SQL knows."""
        written = factor["alias"]
        if word is not None:
            written = {"explicit": True, "name": verbatim_identifier(f"{quote_name(view)} {word}"), "columns": []}
        elif written is None:
            written = {"explicit": True, "name": identifier(view), "columns": []}
        rows = verbatim_identifier(f"({view_sql(view, self.catalog)})")
        return TableFunction({"Table": {**factor, "name": [{"Identifier": rows}], "alias": written}}, alias or view)

    def _scan(self, ast: Ast, factor: Ast, alias: str, word: str | None, table: Table) -> Scan:
        name = f"{self.prefix}{self.scans}"
        self.scans += 1
        renamed = word is None and bool((factor.get("alias") or {}).get("columns"))
        sampled = self.unread or factor.get("sample") is not None
        return Scan(ast, name, folded(alias), table, rigid=renamed, sampled=sampled, join_word=word, files_total=len(table.files))

    def _files(self, factor: Ast) -> Table:
        """The files that a call of ``read_files`` names."""
        try:
            call = read_call(factor["args"]["args"])
            table = self._listed(call.patterns, call.options, factor["args"]["args"][:1])
            misplaced = call.misplaced(table.files[0].format) if call.places else None
            if misplaced is not None:
                raise misplaced
        except BadArgument as bad:
            place = factor["name"] if span_of(bad.node) is None else bad.node
            raise self._error(InvalidQuery, bad.message, place, remedy=bad.remedy) from None
        return table

    def _listed(self, patterns: tuple[str, ...], options: ReadOptions, ast: Any) -> Table:
        key = (patterns, options)
        if key not in self.files:
            try:
                self.files[key] = self.catalog.files(*patterns, options=options)
            except VolleyError as error:
                if error.status is not Status.INVALID_ARGUMENT:
                    raise
                kind = type(error) if isinstance(error, PlannerError) else InvalidQuery
                raise self.parsed.error(kind, error.message, span_of(ast) or self.parsed.path_span(patterns[0]), error.remedy) from error
        return self.files[key]

    def table(self, ast: list[Ast], parts: tuple[Ast, ...]) -> Table:
        """The table of a (dotted) name, or the files of a path in single quotes. Raises ``UnknownTable`` with near names."""
        if _is_path(parts):
            if len(parts) > 1:
                raise self._error(AccessRefused, "a path stands alone", ast, remedy=f"Write FROM {quote_text(str(parts[-1]['value']))}.")
            return self._listed((str(parts[0]["value"]),), AS_NAMED, ast)
        qualifiers = tuple(folded(str(part["value"])) for part in parts[:-1])
        name, quoted = str(parts[-1]["value"]), parts[-1]["quote_style"] is not None
        if qualifiers and qualifiers[-1] == INFORMATION_SCHEMA:
            remedy = f"There are {', '.join(sorted(VIEWS))}."
            raise self._error(UnknownTable, f"there is no view '{name}' in {INFORMATION_SCHEMA}", ast, remedy=remedy)
        if qualifiers and qualifiers not in SCHEMA_PREFIXES:
            written = ".".join(str(part["value"]) for part in parts)
            remedy = f"All tables are in {CATALOG_NAME}.{SCHEMA_NAME}; SHOW TABLES lists them."
            if _PATH.search(written):
                remedy = f"To read a file, write its name in single quotes: FROM {quote_text(written)}."
            raise self._error(UnknownTable, f"there is no schema '{'.'.join(qualifiers)}'", ast, remedy=remedy)
        table = self.tables.get((name, quoted))
        if table is None:
            table = self.catalog.table(name, quoted=quoted)
            if table is None:
                raise self._unknown_table(name, ast)
            self.tables[name, quoted] = table
        return table

    def _unknown_table(self, name: str, ast: Any) -> PlannerError:
        names = list(self.catalog.table_names())
        spelled = {known.lower(): known for known in reversed(names)}
        near = [spelled[match] for match in get_close_matches(name.lower(), spelled, 3, 0.6)]
        if _PATH.search(name):
            remedy = f"To read files, write their path in single quotes: FROM {quote_text(name)}."
            return self._error(AccessRefused, f"'{name}' is no table", ast, remedy=remedy)
        if files := self.catalog.files_without_format(name):
            remedy = f"The name of {files[0]} says no format: write FROM {READ_FILES}({quote_text(files[0])}, format = 'csv'), or 'json'."
        elif near:
            remedy = f"Did you mean {' or '.join(near)}?"
        else:
            remedy = f"Tables: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}." if names else _NO_TABLES
        return self._error(UnknownTable, f"there is no table '{name}'", ast, remedy=remedy)

    def _check_table_function(self, name: list[Ast]) -> None:
        called = last_name(name)
        if called in TABLE_FUNCTIONS:
            return
        remedy = (
            f"To read files, write FROM 'folder/*.parquet' or {READ_FILES}('…', option = value)."
            if called in FILE_READERS
            else f"Table functions: {READ_FILES}, {', '.join(sorted(TABLE_FUNCTIONS))}."
        )
        raise self._error(AccessRefused, f"the table function '{called}' is not available", name, remedy=remedy)

    def _error(self, kind: type[PlannerError], message: str, ast: Any, *, remedy: str | None = None) -> PlannerError:
        return self.parsed.error(kind, message, span_of(ast), remedy)


def view_of(parts: tuple[Ast, ...]) -> str | None:
    """The view of information_schema that a dotted name is; None for any other."""
    names = [folded(str(part["value"])) for part in parts]
    if names[:-1] not in ([INFORMATION_SCHEMA], [CATALOG_NAME, INFORMATION_SCHEMA]):
        return None
    return names[-1] if names[-1] in VIEWS else None


def path_alias(path: str) -> str:
    """What a path in FROM is called where it has no alias: as in the kernel, a file's name up to its first dot; a pattern as it stands."""
    if any(character in path for character in "*?["):
        return path
    name = path.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return name.partition(".")[0] or name


def _is_path(parts: tuple[Ast, ...]) -> bool:
    """Whether a name in FROM is a path: it is written as text is, in single quotes."""
    return bool(parts) and parts[-1]["quote_style"] == "'"


def alias_of(factor: Ast) -> str | None:
    """The alias of a FROM entry, in lower case."""
    alias = factor.get("alias")
    return folded(str(alias["name"]["value"])) if alias else None


def last_name(name: list[Ast] | None) -> str:
    """The last part of a dotted name, in lower case; empty where it is no plain name."""
    parts = name_parts(name) if name else None
    return folded(str(parts[-1]["value"])) if parts else ""


def join_word(ast: Ast, followed: bool) -> str | None:
    """The kernel's join word that the parser took for the alias of this FROM entry; None where there is none."""
    alias = next(iter(ast.values())).get("alias")
    if not followed or not alias or alias.get("explicit") or alias.get("columns") or alias["name"]["quote_style"] is not None:
        return None
    word = str(alias["name"]["value"])
    return word.upper() if word.lower() in JOIN_WORDS else None
