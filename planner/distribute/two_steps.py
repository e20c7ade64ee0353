"""A block in two steps: what each share of its rows is asked, and what is asked of the shares' answers.

::

    SELECT c, sum(x) AS s FROM t JOIN u … WHERE … GROUP BY c HAVING sum(x) > 1 ORDER BY s DESC LIMIT 3

    partial, on each share    SELECT c AS k0, sum(x) EXPORT_STATE AS a1 FROM t JOIN u … WHERE … GROUP BY ALL
    final, over all answers   SELECT k0 AS c, <sum of a1> AS s FROM answers GROUP BY k0 HAVING <sum of a1> > 1 ORDER BY s DESC LIMIT 3

FROM and WHERE belong to the partial block, all that comes behind GROUP BY to the final one. Without aggregates the partial block makes the
items themselves, distinct ones or the first ones of each share where that is what is asked for; where there are windows it only gives
the columns that the final block mentions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from planner.ast import BARE_QUERY, NO_GROUPS, SEQUENCES, Ast, call, identifier, is_query, substitute, verbatim, verbatim_identifier, walk
from planner.distribute.expressions import (
    Meanings,
    arguments,
    has_partial_form,
    is_aggregate,
    is_call,
    is_grouped,
    is_name,
    sorts_and_limits,
)
from planner.distribute.partial_aggregates import combined
from planner.distribute.scopes import BoundColumn, ColumnField, Names, SelectAlias
from planner.logical import Answers, FromItem, QueryBlock, Select
from planner.quoting import folded, quote_name
from planner.references import function_name

_REFUSED_CLAUSES = ("top", "lateral_views", "connect_by", "prewhere", "cluster_by", "distribute_by", "sort_by")
_BEHIND = ("projection", "having", "qualify", "named_window", "distinct")
"""Clauses of the final block alone."""
_SEVERAL_COLUMNS = ("columns", "unnest")
_ALL_GROUPS: Ast = {"All": []}
_SETS = ("Rollup", "Cube", "GroupingSets")


Kind = Literal["row", "first", "groups", "distinct", "rows", "columns"]
"""What a share answers with: a row of states, its first rows, a row for each group, distinct rows, all rows of the items, or of columns."""


class OneStep(Exception):
    """The block cannot be told in two steps for certain. The message says why."""


class Writer(Protocol):
    """How an expression becomes text, and what the kernel calls a column of it that has no alias."""

    def expression(self, ast: Ast) -> str:
        """The expression as SQL."""

    def column_name(self, ast: Ast) -> str | None:
        """The name of its column; None where that is not known."""


@dataclass(frozen=True, slots=True)
class PartialColumn:
    """A column of the partial block. One that is an aggregate's state has the aggregate's call for its ``expression``."""

    name: str
    expression: Ast
    aggregate: str | None = None

    @property
    def arguments(self) -> list[Ast]:
        """What the aggregate is called with; nothing for a star, or where it is no aggregate."""
        return arguments(self.expression["Function"]) if self.aggregate is not None else []


ArgumentTypes = Mapping[str, Sequence[str]]
"""For the name of each answer that is a state, the kernel's types of its arguments."""


def two_steps(query: QueryBlock, names: Names, writer: Writer, prefix: str, *, complete: bool = False) -> TwoSteps:
    """The two steps of ``query``. ``prefix`` begins no name of the statement.

    ``complete``: its groups, windows and equal rows are complete in their shares, so that only what is behind its body is left.
    Raises ``OneStep``.
    """
    select = query.body
    if not isinstance(select, Select) or select.reshape is not None or any(select.ast.get(key) for key in _REFUSED_CLAUSES):
        raise OneStep("it is no plain SELECT")
    steps = TwoSteps(query, select, names, writer, prefix, complete)
    steps.collect()
    return steps


@dataclass(slots=True)
class TwoSteps:
    """Made by :func:`two_steps`; ``answers`` are the columns of the partial block, in order."""

    query: QueryBlock
    select: Select
    names: Names
    writer: Writer
    prefix: str
    complete: bool
    answers: list[PartialColumn] = field(default_factory=list)
    _meanings: Meanings = field(init=False)
    _placed: dict[Any, PartialColumn] = field(default_factory=dict)
    _types: ArgumentTypes | None = None
    _as_text: Mapping[str, str] = field(default_factory=dict)
    _made: bool = False
    """The partial block makes the items; else the final one makes them, of groups or of columns."""
    _grouped: bool = False
    _first: tuple[Ast | None, Ast] | None = None

    def collect(self) -> None:
        """Finds the answers."""
        self._meanings = Meanings(self.names)
        ast = self.select.ast
        called = [node["Function"] for node in self._behind() if is_call(node)]
        if any(function_name(function) in _SEVERAL_COLUMNS for function in called):
            raise OneStep("how many columns it has is not known")
        windows = ast["qualify"] is not None or any(function["over"] is not None for function in called)
        groups = is_grouped(ast) or any(is_aggregate(function) for function in called)
        if self.complete or not (groups or windows or type(ast["distinct"]) is dict):
            self._made = True
            self._place_items()
        elif groups and self._has_partial_forms():
            self._grouped = True
            for expression in self.group_expressions():
                self._place(expression, "k")
        self._final_parts()
        if not self.answers:
            raise OneStep("it asks for nothing of its rows")
        self._first = self._first_rows()

    def _has_partial_forms(self) -> bool:
        """Whether all aggregates of the final block can be had from answers of the shares; else it gets columns, and all of a group's.

        States and a ``row_number()`` of which the first is wanted are more than the kernel takes in one block: its optimizer makes a struct
        of them, which is no plain error but ends the kernel.
        """
        called = [node["Function"] for node in self._behind() if is_call(node)]
        aggregates = [function for function in called if is_aggregate(function)]
        return all(map(has_partial_form, aggregates)) and not (aggregates and any(function_name(each) == "row_number" for each in called))

    def _place_items(self) -> None:
        ast = self.select.ast
        for item in ast["projection"]:
            if "UnnamedExpr" in item or "ExprWithAlias" in item:
                self._place(_expression(item), "i")
        if ast["distinct"] is None:
            for term in self._order_terms():
                if not _is_position(term["expr"]) and not isinstance(self._meaning(term["expr"]), SelectAlias):
                    self._place(term["expr"], "o")

    @property
    def kind(self) -> Kind:
        """What a share answers with."""
        if self._grouped:
            return "row" if all(answer.aggregate is not None for answer in self.answers) else "groups"
        if not self._made:
            return "columns"
        if self._first is not None:
            return "first"
        return "rows" if self.select.ast["distinct"] is None else "distinct"

    @property
    def first_rows(self) -> tuple[Ast | None, Ast] | None:
        """ORDER BY and LIMIT of a share's answers, where its first rows are enough."""
        return self._first

    @property
    def first_term(self) -> Ast | None:
        """The first term of ORDER BY; None where there is none, or it is said by ALL."""
        return next(iter(self._order_terms()), None)

    @property
    def has_sets(self) -> bool:
        """Whether GROUP BY has sets, or modifiers that make some."""
        group = self.select.ast["group_by"]
        return "All" not in group and (bool(group["Expressions"][1]) or any(next(iter(term)) in _SETS for term in group["Expressions"][0]))

    @property
    def ends_early(self) -> bool:
        """Whether any rows are as good as others, once there are enough."""
        return self._made and sorts_and_limits(self.query.ast, limits_only=True) and self.query.ast["order_by"] is None

    # -- the partial block ----------------------------------------------------------------------------------------------

    def partial(self, select: Select, probe: bool = False) -> QueryBlock:
        """The partial block of ``select``, which is the body as it stands by now. As a ``probe`` it also has a column for each argument
        of each state, in their order, to ask for its type.
        """
        ast = self.select.ast
        items = [_item(self._partial_expression(answer), answer.name) for answer in self.answers]
        if probe:
            probed = [argument for answer in self.answers for argument in answer.arguments]
            items += [_item(call("any_value", argument), f"{self.prefix}t{place}") for place, argument in enumerate(probed)]
        if not self.complete:
            keys = any(answer.aggregate is None for answer in self.answers)
            group = _ALL_GROUPS if self._grouped and keys else NO_GROUPS
            distinct = ast["distinct"] if self._made else None
            ast = {**ast, "having": None, "qualify": None, "named_window": [], "group_by": group, "distinct": distinct}
        order, limit = self._first or (None, None)
        block = {**BARE_QUERY, "body": None, "order_by": order, "limit_clause": limit}
        ast = {**ast, "projection": items}
        return QueryBlock(block, replace(select, ast=ast, queries=present(select.queries, {**ast, "from": None})))

    def _partial_expression(self, answer: PartialColumn) -> Ast:
        if answer.aggregate is None:
            return answer.expression
        return verbatim(f"{self.writer.expression(answer.expression)} EXPORT_STATE")

    def _first_rows(self) -> tuple[Ast | None, Ast] | None:
        """ORDER BY and LIMIT of the partial block, where each share need only give its first rows; any of them, without ORDER BY."""
        order, rows = self.query.ast["order_by"], rows_wanted(self.query.ast)
        if not self._made or rows is None:
            return None
        limit = {"LimitOffset": {**self.query.ast["limit_clause"]["LimitOffset"], "limit": verbatim(str(rows)), "offset": None}}
        if order is None:
            return None, limit
        terms = [(term, self.answer_of(term["expr"])) for term in self._order_terms()]
        if not terms or any(answer is None for _, answer in terms):
            return None
        named = [{**term, "expr": _named(answer.name)} for term, answer in terms if answer is not None]
        return {**order, "kind": {"Expressions": named}}, limit

    def answer_of(self, expression: Ast) -> PartialColumn | None:
        """The answer by which the final block sorts there; None if it is not known."""
        item = self._counted(expression)
        return self._placed.get(self._meanings.of(expression if item is None else item))

    def _counted(self, expression: Ast) -> Ast | None:
        """The item that a position or an alias stands for; None where it is neither. Raises ``OneStep``."""
        place, meaning = _position(expression), self._meaning(expression)
        if isinstance(meaning, SelectAlias):
            place = meaning.item
        if place is None:
            return None
        items = self.select.ast["projection"]
        stars = any("UnnamedExpr" not in item and "ExprWithAlias" not in item for item in items[: place + 1])
        if stars or not 0 <= place < len(items):
            raise OneStep("a position counts items behind a star")
        return _expression(items[place])

    # -- the final block ------------------------------------------------------------------------------------------------

    def final(self, query: QueryBlock, answers: Answers, types: ArgumentTypes, as_text: Mapping[str, str]) -> QueryBlock:
        """The final block, over ``answers``: what stands in the place of ``query``, as it is by now.

        ``as_text``: the types of those answers that arrive as text, by their names.
        """
        self._types, self._as_text = types, as_text
        ast, order = self._final_parts()
        assert isinstance(query.body, Select)
        queries = present(query.body.queries, {**ast, "from": None})
        select = replace(query.body, ast=ast, items=(FromItem(answers),), conjuncts=(), filtered=True, queries=queries)
        return replace(query, body=select, order_by=order)

    def behind(self, expression: Ast) -> Ast:
        """An expression of the block over the columns of the partial block. Raises ``OneStep``."""
        return self._final(expression)  # type: ignore[no-any-return]

    def _final_parts(self) -> tuple[Ast, Ast | None]:
        ast, order = self.select.ast, self.query.ast["order_by"]
        dropped: Ast = {"having": None, "qualify": None, "named_window": [], "group_by": NO_GROUPS}
        parts = dropped if self._made else {key: self._final(ast[key]) for key in dropped if key != "group_by"}
        if not self._made:
            parts["group_by"] = self._final_groups()
        parts["distinct"] = None if self.complete else self._final(ast["distinct"]) if type(ast["distinct"]) is dict else ast["distinct"]
        parts["projection"] = [item for written in ast["projection"] for item in self._final_items(written)]
        return {**ast, **parts, "selection": None}, None if order is None else self._final(order)

    def _final_items(self, item: Ast) -> Iterator[Ast]:
        if "ExprWithAlias" in item:
            yield {"ExprWithAlias": {**item["ExprWithAlias"], "expr": self._final(_expression(item))}}
        elif "UnnamedExpr" in item:
            expression = _expression(item)
            yield _item(self._final(expression), self._output_name(expression))
        else:
            for column, name in self._starred(item):
                yield _item(self._read(self._place_column(column)), name)

    def _final_groups(self) -> Ast:
        group: Ast = self.select.ast["group_by"]
        if "All" in group:
            return group
        terms, modifiers = group["Expressions"]
        return {"Expressions": [[term if _is_position(term) else self._final(term) for term in terms], modifiers]}

    def _final(self, root: Any) -> Any:
        """An expression of the final block, or anything made of some."""
        return substitute({"root": root}, self._final_node)["root"] if root is not None else None

    def _final_node(self, node: Ast) -> Ast | None:
        if is_query(node):
            return self._uncorrelated(node)
        if len(node) != 1:
            return None
        kind, value = next(iter(node.items()))
        if kind == "root":
            return None
        answer = self._placed.get(self._meanings.of(node)) if kind in self._meanings.kinds or is_name(node) else None
        if answer is not None and answer.aggregate is None:
            return self._read(answer)
        match kind:
            case "Function" if is_call(node):
                if value["over"] is None and is_aggregate(value):
                    return self._aggregate(node)
                return {kind: {**value, **{key: self._final(value[key]) for key in ("args", "over", "filter", "within_group")}}}
            case "Cast":
                return {kind: {**value, "expr": self._final(value["expr"])}}
            case "TypedString" | "Value":
                return node
            case "CompoundFieldAccess":
                chain = [access if "Dot" in access else self._final(access) for access in value["access_chain"]]
                return {kind: {"root": self._final(value["root"]), "access_chain": chain}}
            case "Identifier" | "CompoundIdentifier":
                meaning = self._meaning(node)
                if isinstance(meaning, SelectAlias):
                    return node
                column = meaning.column if isinstance(meaning, ColumnField) else meaning
                if isinstance(column, BoundColumn) and column.depth == 0 and not self._grouped:
                    return self._read(self._place(node, "c"))
                raise OneStep("not every name in it is known to be of a group, or a column")
            case "Wildcard" | "QualifiedWildcard":
                raise OneStep("a star stands in an expression")
            case _:
                return None

    def _aggregate(self, node: Ast) -> Ast:
        function = node["Function"]
        if not self._grouped:
            return {"Function": {**function, **{key: self._final(function[key]) for key in ("args", "filter", "within_group")}}}
        name, listed = function_name(function), function["args"]["List"]
        if listed["duplicate_treatment"] == "Distinct":
            # Rows that are alike in keys and argument are one row of the partial block.
            column = self._read(self._place(arguments(function)[0], "d"))
            return {"Function": {**function, "args": {"List": {**listed, "args": [{"Unnamed": {"Expr": column}}]}}}}
        key = self._meanings.of(node)
        answer = self._placed.get(key) or self._add(key, PartialColumn(self._next_name("a"), node, name))
        kinds = None if self._types is None else self._types[answer.name]
        return verbatim("" if kinds is None else combined(name, kinds, answer.name))

    def _uncorrelated(self, node: Ast) -> Ast:
        found = [query for query in (*self.select.queries, *self.query.queries) if query.ast is node]
        if not found or self.names.correlated(found[0]) is not False:
            raise OneStep("a subquery behind WHERE mentions its rows")
        return node

    def _read(self, answer: PartialColumn) -> Ast:
        kind = self._as_text.get(answer.name)
        return _named(answer.name) if kind is None else verbatim(f"{quote_name(answer.name)}::{kind}")

    # -- what they share ------------------------------------------------------------------------------------------------

    def _place(self, expression: Ast, letter: str) -> PartialColumn:
        key = self._meanings.of(expression)
        return self._placed.get(key) or self._add(key, PartialColumn(self._next_name(letter), expression))

    def _place_column(self, column: BoundColumn) -> PartialColumn:
        alias = getattr(column.relation, "alias", None)
        if alias is None or self.names.relation(self.select, alias) is not column.relation:
            raise OneStep("a star's column has no name of its own")
        key = ("column", id(column.relation), folded(column.name))
        written = {"CompoundIdentifier": [identifier(alias), identifier(column.name)]}
        return self._placed.get(key) or self._add(key, PartialColumn(self._next_name("c"), written))

    def _starred(self, item: Ast) -> Iterator[tuple[BoundColumn, str]]:
        outputs = None if self._grouped else self.names.starred(self.select, item)
        for output in outputs if outputs is not None else (None,):
            if output is None or output.column is None or output.name is None:
                raise OneStep("what its star stands for is not known")
            yield output.column, output.name

    def _add(self, key: Any, answer: PartialColumn) -> PartialColumn:
        self._meanings.kinds.add(_kind(answer.expression))
        self._placed[key] = answer
        self.answers.append(answer)
        return answer

    def _next_name(self, letter: str) -> str:
        return f"{self.prefix}{letter}{len(self.answers)}"

    def _meaning(self, expression: Ast) -> Any:
        return self.names.meaning(expression) if is_name(expression) else None

    def _behind(self) -> Iterator[Ast]:
        """The nodes of the final block's expressions, without subqueries."""
        ast = self.select.ast
        yield from walk([*(ast[key] for key in _BEHIND), self.query.ast["order_by"]], into_queries=False)

    def group_expressions(self) -> Iterator[Ast]:
        """What is grouped by, positions and aliases resolved; of sets, all that is in any. Raises ``OneStep``."""
        ast = self.select.ast
        group = ast["group_by"]
        if "All" in group:
            for item in ast["projection"]:
                if "UnnamedExpr" not in item and "ExprWithAlias" not in item:
                    raise OneStep("GROUP BY ALL has a star")
                expression = _expression(item)
                if not any(is_call(node) and is_aggregate(node["Function"]) for node in walk(expression, into_queries=False)):
                    yield expression
            return
        if group["Expressions"][1]:
            raise OneStep("its GROUP BY has modifiers")
        for term in group["Expressions"][0]:
            if next(iter(term)) in _SETS:
                for expression in _flat(next(iter(term.values()))):
                    if _is_position(expression):
                        raise OneStep("a set of GROUP BY counts its items")
                    yield self._group_expression(expression)
            else:
                yield self._group_expression(term)

    def _group_expression(self, expression: Ast) -> Ast:
        """What is grouped by, where a position or an alias of an item may say it."""
        item = self._counted(expression)
        return expression if item is None else item

    def _order_terms(self) -> list[Ast]:
        order = self.query.ast["order_by"]
        kind = None if order is None else order["kind"]
        return list(kind["Expressions"]) if type(kind) is dict and "Expressions" in kind else []

    def _output_name(self, expression: Ast) -> str:
        if is_name(expression):
            meaning = self._meaning(expression)
            if isinstance(meaning, BoundColumn):
                return meaning.name
        name = self.writer.column_name(expression)
        if name is None:
            raise OneStep("what the kernel calls an item is not known")
        return name


def _kind(expression: Ast) -> str:
    while "Nested" in expression:
        expression = expression["Nested"]
    return next(iter(expression))


def _expression(item: Ast) -> Ast:
    return item["UnnamedExpr"] if "UnnamedExpr" in item else item["ExprWithAlias"]["expr"]  # type: ignore[no-any-return]


def _item(expression: Ast, name: str) -> Ast:
    return {"ExprWithAlias": {"expr": expression, "alias": identifier(name)}}


def _named(name: str) -> Ast:
    return {"Identifier": verbatim_identifier(name)}


def _position(expression: Ast) -> int | None:
    """The item that a bare number counts, from 0."""
    number = expression.get("Value", {}).get("value")
    if type(number) is dict and "Number" in number and str(number["Number"][0]).isdigit():
        return int(number["Number"][0]) - 1
    return None


def _is_position(expression: Ast) -> bool:
    return _position(expression) is not None


def present(queries: Iterable[QueryBlock], root: Any) -> tuple[QueryBlock, ...]:
    """Those of a block's subqueries that are in its expressions still."""
    there = {id(node) for node in walk(root, into_queries=False)}
    return tuple(query for query in queries if id(query.ast) in there)


def _flat(sets: Any) -> Iterator[Ast]:
    for part in sets:
        if type(part) in SEQUENCES:
            yield from _flat(part)
        else:
            yield part


def rows_wanted(ast: Ast) -> int | None:
    """How many rows a query with a LIMIT and an OFFSET looks at; None where that is not plain, or all."""
    clause = ast["limit_clause"]
    if type(clause) is not dict or "LimitOffset" not in clause or ast["fetch"] is not None:
        return None
    wanted = clause["LimitOffset"]
    offset = wanted["offset"]
    counts = [_count(wanted["limit"]), 0 if offset is None else _count(offset["value"])]
    if wanted["limit_by"] or None in counts:
        return None
    return sum(count or 0 for count in counts)


def _count(expression: Ast | None) -> int | None:
    place = None if expression is None else _position(expression)
    return None if place is None else place + 1
