"""What relations and subqueries show: the names of their columns, and what each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from planner.ast import SEQUENCES, Ast, name_parts
from planner.distribute.frames import Frame, Source
from planner.distribute.meanings import BoundColumn, Meaning, OutputColumn, Outputs
from planner.distribute.mentions import mentions
from planner.logical import (
    Body,
    Cte,
    CteRef,
    DerivedTable,
    JoinedItem,
    QueryBlock,
    Relation,
    Scan,
    Select,
    SetOperation,
    TableFunction,
    Values,
)
from planner.quoting import folded
from planner.references import function_name
from planner.spellings.ctes import KEY

_SERIES = frozenset(("range", "generate_series", "unnest"))
"""Table functions of one column, called after the function unless it has an alias."""


@dataclass(slots=True)
class ShownOutputs:
    """The meanings and frames found so far, by the ids of what they belong to, and what follows from them."""

    meanings: dict[int, Meaning] = field(default_factory=dict)
    frames: dict[int, Frame] = field(default_factory=dict)
    ctes: dict[int, Cte] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    """The queries that are being bound."""
    known: dict[int, Outputs] = field(default_factory=dict)
    scanned: dict[int, tuple[dict[str, str], tuple[str, ...]]] = field(default_factory=dict)

    def column(self, expression: Ast) -> BoundColumn | None:
        """The column that an expression is, parentheses aside; None for any other."""
        meaning = self.meanings.get(id(bare(expression)))
        return meaning if type(meaning) is BoundColumn else None

    def source(self, relation: Relation) -> Source:
        """A relation with its columns. What is in it must have been bound."""
        if isinstance(relation, Scan):
            return Source(relation, *self.scan_columns(relation))
        outputs = self.relation_outputs(relation)
        if outputs is None:
            return Source(relation)
        columns = {folded(output.name): output.name for output in outputs if output.name is not None}
        return Source(relation, columns, tuple(None if output.name is None else folded(output.name) for output in outputs))

    def relation_outputs(self, relation: Relation) -> Outputs:
        """The columns of a relation that is no scan, each with the column that it is in its own FROM."""
        outputs: Outputs = None
        match relation:
            case DerivedTable():
                outputs = self.outputs(relation.query)
            case CteRef() if id(relation) in self.ctes:
                outputs = self._cte_outputs(self.ctes[id(relation)])
            case JoinedItem() if id(relation) in self.frames:
                outputs = deduplicated(starred(self.frames[id(relation)]))
            case TableFunction():
                outputs = _function_outputs(relation)
        return None if outputs is None else _renamed(outputs, next(iter(relation.ast.values())).get("alias"))

    def _cte_outputs(self, cte: Cte) -> Outputs:
        alias = cte.ast["alias"]
        if any(str(column["name"]["value"]) == KEY for column in alias.get("columns") or ()):
            return None
        outputs = self.outputs(cte.query)
        return None if outputs is None else _renamed(outputs, alias)

    def scan_columns(self, scan: Scan) -> tuple[dict[str, str], tuple[str, ...]]:
        """The names of a scan's columns by their folded forms, and these in order."""
        alias = next(iter(scan.ast.values())).get("alias")
        listed = [] if alias is None or scan.join_word is not None else [str(column["name"]["value"]) for column in alias["columns"]]
        known = None if listed else self.scanned.get(id(scan.columns))
        if known is None:
            written = listed + [column.name for column in scan.columns[len(listed) :]]
            names = {folded(name): name for name in written}
            known = names, tuple(names)
            if not listed:
                self.scanned[id(scan.columns)] = known
        return known

    def outputs(self, query: QueryBlock) -> Outputs:
        """The columns of a query's result, called as one who selects from it calls them. Of an open one, a recursive CTE's, the first
        operand's.
        """
        if id(query) in self.open:
            return _without_values(deduplicated(self.body_outputs(query.body)))
        if id(query) not in self.known:
            self.known[id(query)] = deduplicated(self.body_outputs(query.body))
        return self.known[id(query)]

    def body_outputs(self, body: Body) -> Outputs:
        """The columns of a body's result."""
        match body:
            case Select():
                return self._select_outputs(body)
            case QueryBlock():
                return self.body_outputs(body.body)
            case Values():
                return tuple(OutputColumn(f"col{place}") for place in range(len(body.ast["Values"]["rows"][0])))
            case SetOperation():
                if any("ByName" in str(ast["set_quantifier"]) for ast in body.asts):
                    return None
                return _without_values(self.body_outputs(body.operands[0]))

    def _select_outputs(self, select: Select) -> Outputs:
        if select.reshape is not None or id(select) not in self.frames:
            return None
        outputs: list[OutputColumn] = []
        for item in select.ast["projection"]:
            expression: Ast | None = item.get("UnnamedExpr")
            if expression is not None:
                outputs.append(OutputColumn(self._derived_name(expression), expression, self.column(expression)))
            elif "ExprWithAlias" in item:
                expression = item["ExprWithAlias"]["expr"]
                outputs.append(OutputColumn(str(item["ExprWithAlias"]["alias"]["value"]), expression, self.column(expression)))
            else:
                listed = self.star_outputs(select, item)
                if listed is None:
                    return None
                outputs += listed
                continue
            if _may_be_several(expression):
                return None
        if _nulls_groups(select.ast["group_by"]):
            return tuple(replace(output, column=None) for output in outputs)
        return tuple(outputs)

    def _derived_name(self, expression: Ast) -> str | None:
        """What a column without an alias is called, if that is a plain word."""
        expression = bare(expression)
        column = self.column(expression)
        if column is not None:
            return column.name
        ((kind, node),) = expression.items()
        match kind:
            case "Identifier":
                return str(node["value"])
            case "CompoundIdentifier":
                return str(node[-1]["value"])
            case "CompoundFieldAccess":
                last = node["access_chain"][-1].get("Dot", {}).get("Identifier")
                return None if last is None else str(last["value"])
            case "Function" if node.get("args") == "None":
                return function_name(node)
            case _:
                return None

    def star_outputs(self, select: Select, item: Ast) -> Outputs:
        """The columns of a star in a select list."""
        frame = self.frames.get(id(select))
        if frame is None:
            return None
        if "Wildcard" in item:
            return _chosen(starred(frame), item["Wildcard"])
        name, options = item["QualifiedWildcard"]
        parts = name_parts(name["ObjectName"]) if type(name) is dict and "ObjectName" in name else None
        source = None if parts is None or len(parts) != 1 else frame.relations.get(folded(str(parts[0]["value"])))
        if source is None or source.order is None:
            return None
        return _chosen(tuple(_output(name, source) for name in source.order), options)

    def inner(self, column: BoundColumn) -> BoundColumn | None:
        """The column of its own FROM that a derived table's, a CTE's or an aliased join's column is; None where it is another thing."""
        outputs = self.relation_outputs(column.relation)
        found = [output.column for output in outputs or () if output.name == column.name]
        return found[0] if len(found) == 1 and found[0] is not None and not found[0].depth else None

    def origin(self, column: BoundColumn) -> tuple[Scan, str] | None:
        """The column of a table that a column is, through subqueries in FROM and CTEs."""
        while not isinstance(column.relation, Scan):
            inner = self.inner(column)
            if inner is None:
                return None
            column = inner
        scan = column.relation
        _, names = self.scan_columns(scan)
        return scan, scan.columns[names.index(folded(column.name))].name

    def type(self, column: BoundColumn) -> str | None:
        """The column's type, where it is plainly a table's."""
        origin = self.origin(column)
        return None if origin is None else next(known.type for known in origin[0].columns if known.name == origin[1])


def bare(expression: Ast) -> Ast:
    """An expression without parentheses around it."""
    while "Nested" in expression:
        expression = expression["Nested"]
    return expression


def starred(frame: Frame) -> Outputs:
    """What ``*`` stands for."""
    return None if frame.stars is None else tuple(_output(name, source) for name, source in frame.stars)


def _output(name: str | None, source: Source | None) -> OutputColumn:
    column = None if name is None or source is None else source.column(name)
    return OutputColumn(name if column is None else column.name, None, column)


def _chosen(outputs: Outputs, options: Ast) -> Outputs:
    """What is left of a star's columns. None where more is asked than to leave some out."""
    if outputs is None or any(value for key, value in options.items() if key.startswith("opt_") and key != "opt_exclude"):
        return None
    excluded = options.get("opt_exclude")
    if not excluded:
        return outputs
    ((_, listed),) = excluded.items()
    columns = list(listed) if type(listed) in SEQUENCES else [listed]
    if any("value" not in column for column in columns):
        return None
    names = {folded(str(column["value"])) for column in columns}
    return tuple(output for output in outputs if output.name is None or folded(output.name) not in names)


def _without_values(outputs: Outputs) -> Outputs:
    return None if outputs is None else tuple(OutputColumn(output.name) for output in outputs)


def _nulls_groups(group_by: Ast) -> bool:
    """Whether there are grouping sets: a column that is not of a row's set is NULL in it."""
    listed, *modifiers = group_by.get("Expressions", ((),))
    return any(modifiers) or any(key in expression for expression in listed for key in ("Rollup", "Cube", "GroupingSets"))


def _may_be_several(expression: Ast) -> bool:
    """Whether an item of a select list may be other than one column."""
    if "Identifier" in expression or "CompoundIdentifier" in expression:
        return False
    mentioned = mentions(expression)
    return mentioned.doubtful or bool(mentioned.stars) or "unnest" in mentioned.functions


def _function_outputs(relation: TableFunction) -> Outputs:
    factor = next(iter(relation.ast.values()))
    name = "unnest" if "UNNEST" in relation.ast else ""
    if "Table" in relation.ast or "Function" in relation.ast:
        parts = name_parts(factor["name"])
        name = folded(str(parts[0]["value"])) if parts and len(parts) == 1 else ""
    if name not in _SERIES or any(value for key, value in factor.items() if "ordinality" in key or "offset" in key):
        return None
    return (OutputColumn(relation.alias or name),)


def _renamed(outputs: tuple[OutputColumn, ...], alias: Ast | None) -> tuple[OutputColumn, ...]:
    """The columns, the first of them called as the list behind an alias has them."""
    listed = (alias or {}).get("columns") or ()
    if not listed:
        return outputs
    names = [str(column["name"]["value"]) for column in listed]
    return tuple(replace(output, name=name) for output, name in zip(outputs, names, strict=False)) + outputs[len(names) :]


def deduplicated(outputs: Outputs) -> Outputs:
    """The columns as those who select from them call them: ``a``, ``a_1`` where two are called ``a``."""
    if outputs is None:
        return None
    met: dict[str, int] = {}
    named: list[OutputColumn] = []
    for output in outputs:
        name = output.name
        if name is not None:
            low = folded(name)
            while folded(name) in met:
                name = f"{output.name}_{met[low]}"
                met[low] += 1
            met[folded(name)] = 1
        named.append(output if name == output.name else replace(output, name=name))
    return tuple(named)
