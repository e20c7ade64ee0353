"""Bound queries over tables of which only the columns are known, and statements with all names written out for the kernel's binder."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from planner import PlanOptions, prepare
from planner.ast import NO_SPAN, Ast, identifier, walk
from planner.catalog import Column, Table
from planner.distribute.outputs import bare
from planner.distribute.scopes import BoundColumn, ColumnField, Names, OutputColumn, SelectAlias
from planner.limits import DEFAULT_LIMITS
from planner.logical import (
    Body,
    DerivedTable,
    JoinedItem,
    QueryBlock,
    Relation,
    Scan,
    Select,
    SetOperation,
    TableFunction,
    relations,
    rewrite_scans,
    rewrite_selects,
)
from planner.parse import UNKNOWN_CHAIN, print_sql
from planner.query import QueryPlanner
from planner.quoting import folded, quote_name
from tests.planner.memory_catalog import FolderCatalog, connect


class TableCatalog(FolderCatalog):
    """Empty tables of the kernel's own. A column is its name and its type, or a name alone for an integer."""

    def __init__(self, tables: Mapping[str, Sequence[str]]) -> None:
        self.time_zone = "UTC"
        self.connection = connect()
        self.tables = {name: Table(name, ()) for name in tables}
        self.listed = {name: tuple(map(_column, columns)) for name, columns in tables.items()}
        for name, columns in self.listed.items():
            written = ", ".join(f"{quote_name(column.name)} {column.type}" for column in columns)
            self.connection.execute(f"CREATE TABLE {quote_name(name)} ({written})")

    def columns(self, table: Table) -> tuple[Column, ...]:
        return self.listed[table.name]


def _column(text: str) -> Column:
    name, _, kind = text.partition(" ")
    return Column(name, kind or "INTEGER")


def bound(sql: str, catalog: FolderCatalog) -> QueryBlock:
    """The query with the columns of its tables, as the planner has it before its rules."""
    planner = QueryPlanner(prepare(sql, DEFAULT_LIMITS).outline, catalog, PlanOptions())
    known = {name: catalog.columns(table) for name, table in catalog.tables.items()}

    def opened(scan: Scan) -> Scan:
        return replace(scan, columns=known[scan.table.name])

    return rewrite_selects(planner.binder.query(planner.surveyed.ast["Query"]), lambda select: rewrite_scans(select, opened))


def plan_of(sql: str, connection: duckdb.DuckDBPyConnection) -> Any:
    """The kernel's plan of a statement before its optimizer, without what tells how names were written. Raises ``duckdb.Error``."""
    connection.sql(sql)
    told = connection.execute("SELECT json_serialize_plan($1, skip_null := true, skip_empty := true, optimize := false)", [sql]).fetchone()
    assert told is not None
    plan = json.loads(told[0])
    if plan["error"]:
        raise duckdb.NotImplementedException(plan["error_message"])
    return _plain(plan)


_SPELLINGS = frozenset(("alias", "bound_columns", "query_location", "query_location_length"))


def _plain(node: Any) -> Any:
    if type(node) is dict:
        return {key: _plain(value) for key, value in node.items() if key not in _SPELLINGS}
    return [_plain(item) for item in node] if type(node) is list else node


def printed(query: QueryBlock) -> str:
    """The query's tree as SQL."""
    return print_sql({"Query": query.ast}, UNKNOWN_CHAIN)


def all_known(names: Names, query: QueryBlock) -> bool:
    """Whether all names of a query have a meaning, stars too, and nothing else in it may be columns."""
    blocks = _queries(query)
    stars = [(select, item) for block in blocks for select in _selects(block.body) for item in select.ast["projection"]]
    unknown = ["QualifiedWildcard" in item and names.starred(select, item) is None for select, item in stars]
    return all(map(names.known, blocks)) and not any(unknown)


def repeats(query: QueryBlock, names: Names) -> bool:
    """Whether a select list has a column twice, or GROUP BY: the kernel takes this one or that for what stands in other clauses."""
    for select in (select for block in _queries(query) for select in _selects(block.body)):
        outputs = [output.column for item in select.ast["projection"] for output in _outputs(names, select, item)]
        groups = [names.columns(select, key)[0] for key in select.ast["group_by"].get("Expressions", [[]])[0]]
        listed = [column for key in groups for column in key] + [None]
        if any(listed_once.count(column) > 1 for listed_once in (outputs, listed) for column in listed_once if column is not None):
            return True
    return False


def write_out(query: QueryBlock, names: Names) -> str:
    """The query as SQL with an alias of its own for each relation and before each column, and with expressions in place of aliases.

    Its tree is changed in place.
    """
    return _Writer(names, query).written()


class _Writer:
    def __init__(self, names: Names, query: QueryBlock) -> None:
        self.names, self.query = names, query
        self.blocks: dict[int, Select] = {}
        self.ordered: dict[int, Select] = {}
        self.relations: list[Relation] = []
        for block in _queries(query):
            for select in _selects(block.body):
                self.relations += relations(select)
                self.blocks |= {id(node): select for node in walk(select.ast)}
                if select is block.body:
                    order = block.ast.get("order_by")
                    self.blocks |= {id(node): select for node in walk(order)}
                    self.ordered |= {id(expression): select for expression in _alone(order) + _alone(select.ast["distinct"])}
        self.aliases = {id(relation): f"r{number}" for number, relation in enumerate(self.relations)}

    def written(self) -> str:
        aliases: list[tuple[Ast, Ast]] = []
        places = {id(node): place for node, place in self._places()}
        for node in list(walk(self.query.ast)):
            if "QualifiedWildcard" in node:
                self._qualify_star(node)
            elif "Identifier" in node or "CompoundIdentifier" in node or "CompoundFieldAccess" in node:
                match self.names.meaning(node):
                    case _ if id(node) in places:
                        _replace(node, {"Value": {"value": {"Number": [str(places[id(node)] + 1), False]}, "span": NO_SPAN}})
                    case BoundColumn() as column:
                        _replace(node, {"CompoundIdentifier": self._path(column)})
                    case ColumnField(column):
                        _replace(node, self._field(node, column))
                    case SelectAlias(item) if id(node) in self.blocks:
                        aliases.append((node, self.blocks[id(node)].ast["projection"][item]["ExprWithAlias"]["expr"]))
        for relation in self.relations:
            self._rename(relation)
        for node, expression in aliases:
            _replace(node, {"Nested": copy.deepcopy(expression)})
        return printed(self.query)

    def _places(self) -> Iterator[tuple[Ast, int]]:
        """What stands alone in ORDER BY or DISTINCT ON and means a column of the select list, with the column's place."""
        for node in walk(self.query.ast):
            select = self.ordered.get(id(node))
            if select is None or "Identifier" not in node:
                continue
            outputs = [_outputs(self.names, select, item) for item in select.ast["projection"]]
            match self.names.meaning(node):
                case SelectAlias(item):
                    yield node, sum(map(len, outputs[:item]))
                case BoundColumn() as column:
                    listed = [output for item in outputs for output in item]
                    found = [place for place, output in enumerate(listed) if output.column == column and output.name == column.name]
                    if found:
                        yield node, found[0]

    def _path(self, column: BoundColumn) -> list[Ast]:
        return [identifier(self.aliases[id(column.relation)]), identifier(column.name)]

    def _field(self, node: Ast, column: BoundColumn) -> Ast:
        ((kind, written),) = node.items()
        relation, name = self._path(column)
        if kind == "CompoundIdentifier":
            behind_relation = getattr(column.relation, "alias", None) == folded(str(written[0]["value"]))
            return {"CompoundIdentifier": [relation, name, *written[2 if behind_relation else 1 :]]}
        chain = written["access_chain"]
        behind_relation = getattr(column.relation, "alias", None) == folded(str(written["root"]["Identifier"]["value"]))
        behind = chain[1:] if behind_relation and "Dot" in chain[0] else chain
        return {"CompoundFieldAccess": {"root": {"Identifier": relation}, "access_chain": [{"Dot": {"Identifier": name}}, *behind]}}

    def _qualify_star(self, node: Ast) -> None:
        name, _ = node["QualifiedWildcard"]
        relation = self.names.relation(self.blocks[id(node)], str(name["ObjectName"][-1]["Identifier"]["value"]))
        assert relation is not None
        name["ObjectName"] = [{"Identifier": identifier(self.aliases[id(relation)])}]

    def _rename(self, relation: Relation) -> None:
        if isinstance(relation, JoinedItem) and relation.alias is None:
            return
        factor = next(iter(relation.ast.values()))
        columns = (factor.get("alias") or {}).get("columns") or []
        if isinstance(relation, TableFunction) and not columns and relation.alias is not None:
            columns = [{"name": identifier(relation.alias), "data_type": None}]
        factor["alias"] = {"explicit": True, "name": identifier(self.aliases[id(relation)]), "columns": columns}


def _outputs(names: Names, select: Select, item: Ast) -> list[OutputColumn]:
    if "Wildcard" in item or "QualifiedWildcard" in item:
        return list(names.starred(select, item) or ())
    expression: Ast = item["ExprWithAlias"]["expr"] if "ExprWithAlias" in item else item["UnnamedExpr"]
    column = names.column(expression)
    return [OutputColumn(None if column is None or "ExprWithAlias" in item else column.name, expression, column)]


def _alone(clause: Any) -> list[Ast]:
    """The expressions that stand alone in ORDER BY or DISTINCT ON, parentheses aside."""
    if type(clause) is not dict:
        return []
    kind = clause.get("kind")
    listed = clause["On"] if "On" in clause else [item["expr"] for item in kind["Expressions"]] if type(kind) is dict else []
    return [bare(expression) for expression in listed]


def _replace(node: Ast, new: Ast) -> None:
    node.clear()
    node.update(new)


def _queries(query: QueryBlock) -> list[QueryBlock]:
    """A query and all that is in it, outer ones first."""
    found = [query]
    for block in found:
        found += [cte.query for cte in block.ctes]
        found += block.queries
        stack: list[Body] = [block.body]
        while stack:
            match stack.pop():
                case QueryBlock() as inner:
                    found.append(inner)
                case SetOperation(operands=operands):
                    stack += operands
                case Select() as select:
                    found += select.queries
                    found += [inner for join in _joins(select) for inner in join.queries]
                    for relation in relations(select):
                        found += [relation.query] if isinstance(relation, DerivedTable) else []
                        found += relation.queries if isinstance(relation, TableFunction) else []
                case values:
                    found += values.queries
    return found


def _joins(select: Select) -> list[Any]:
    items = [*select.items, *(relation.item for relation in relations(select) if isinstance(relation, JoinedItem))]
    return [join for item in items for join in item.joins]


def _selects(body: Body) -> list[Select]:
    if isinstance(body, SetOperation):
        return [select for operand in body.operands for select in _selects(operand)]
    return [body] if isinstance(body, Select) else []
