"""One walk over a query that finds the meaning of each of its names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from planner.ast import Ast, walk
from planner.bind import join_word
from planner.distribute.frames import Frame, Scope
from planner.distribute.meanings import BoundColumn, ColumnField, Meaning, SelectAlias
from planner.distribute.mentions import Mention, mentions
from planner.distribute.outputs import ShownOutputs, bare
from planner.distribute.partial_aggregates import AGGREGATES, WITH_PARTIAL_FORM
from planner.functions import VALUES_WITHOUT_PARENTHESES
from planner.logical import (
    Body,
    Cte,
    CteRef,
    DerivedTable,
    FromItem,
    Join,
    JoinedItem,
    Pivoted,
    QueryBlock,
    Relation,
    Select,
    SetOperation,
    TableFunction,
    Values,
)
from planner.quoting import folded
from planner.references import function_name

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_WORDS = frozenset(("null", "true", "false"))
"""Plain words that columns of literals are called."""
_APART = frozenset(("from", "projection", "selection", "having", "qualify", "distinct", "select_token"))
"""What a SELECT has that is bound clause by clause."""

Ctes = Mapping[str, Cte]


@dataclass(slots=True)
class BoundBlock:
    """What was found in a block: the columns in its own expressions, its subqueries (those in its FROM too), and whether that is all.

    ``below`` are subqueries of its expressions by the ids of their trees, until they are bound.
    """

    ctes: Ctes
    columns: list[BoundColumn] = field(default_factory=list)
    queries: list[QueryBlock] = field(default_factory=list)
    below: dict[int, QueryBlock] = field(default_factory=dict)
    doubtful: bool = False

    def expect(self, queries: Iterable[QueryBlock]) -> None:
        """Subqueries of expressions that are bound next."""
        self.below.update((id(query.ast), query) for query in queries)


@dataclass(slots=True)
class NameBinder:
    """Fills in ``shown`` and ``blocks``: of a Select, Values or QueryBlock, by its id."""

    shown: ShownOutputs = field(default_factory=ShownOutputs)
    blocks: dict[int, BoundBlock] = field(default_factory=dict)
    scopes: dict[int, Scope] = field(default_factory=dict)
    queries: dict[int, QueryBlock] = field(default_factory=dict)
    pairs: dict[int, tuple[tuple[BoundColumn | None, BoundColumn | None], ...] | None] = field(default_factory=dict)

    def query(self, query: QueryBlock, outer: Scope | None, ctes: Ctes) -> None:
        """Binds a query that stands in the scope ``outer``."""
        self.queries[id(query.ast)] = query
        self.shown.open.add(id(query))
        block = self.blocks[id(query)] = BoundBlock(ctes)
        recursive = bool((query.ast.get("with") or {}).get("recursive"))
        for cte in query.ctes:
            with_it = {**ctes, folded(cte.name): cte}
            self.query(cte.query, outer, with_it if recursive else ctes)
            block.queries.append(cte.query)
            ctes = with_it
        scope = self._body(query.body, outer, ctes)
        rest = [value for key, value in query.ast.items() if value and key not in ("with", "body", "order_by")]
        if scope is None:
            self._behind_set(query, rest, replace(block, ctes=ctes), outer)
        elif rest or query.ast.get("order_by"):
            inside = self.blocks[id(scope.select)]
            inside.expect(query.queries)
            self._ordered(query.ast.get("order_by"), inside, replace(scope, clause="order"))
            self._expressions(rest, inside, scope)
        self.shown.open.discard(id(query))

    def _behind_set(self, query: QueryBlock, rest: list[Any], block: BoundBlock, outer: Scope | None) -> None:
        """ORDER BY and LIMIT of a set operation, of VALUES or of a query in parentheses: they see the result's columns."""
        self.blocks[id(query)] = block
        mentioned = mentions(query.ast.get("order_by"), rest)
        for mention in mentioned.names:
            meaning = None if len(mention.parts) > 1 or mention.inside else self._result_column(query.body, mention.parts[0])
            self.shown.meanings[id(mention.node)] = meaning
            block.doubtful |= meaning is None
        block.doubtful |= mentioned.doubtful
        for inner in query.queries:
            self.query(inner, Scope(Frame(unknown=True), outer, 0), block.ctes)
            block.queries.append(inner)

    def _result_column(self, body: Body, name: str) -> SelectAlias | None:
        """The column of a body's result that is called so in the first operand, where no operand calls another one so."""
        places: set[int] = set()
        for operand in body.operands if isinstance(body, SetOperation) else (body,):
            outputs = self.shown.body_outputs(operand)
            if outputs is None or not _is_plain(name):
                return None
            places.update(place for place, output in enumerate(outputs) if output.name is not None and folded(output.name) == name)
            if not places:
                return None
        return SelectAlias(*places) if len(places) == 1 else None

    def _body(self, body: Body, outer: Scope | None, ctes: Ctes) -> Scope | None:
        """Returns the scope that an ORDER BY behind the body sees, for a SELECT."""
        match body:
            case Select():
                return self._select(body, outer, ctes)
            case QueryBlock():
                self.query(body, outer, ctes)
            case SetOperation():
                for operand in body.operands:
                    self._body(operand, outer, ctes)
            case Values():
                block = self.blocks[id(body)] = BoundBlock(ctes)
                block.expect(body.queries)
                self._expressions([body.ast["Values"]["rows"]], block, Scope(Frame(), outer))
        return None

    def _select(self, select: Select, outer: Scope | None, ctes: Ctes) -> Scope:
        block = self.blocks[id(select)] = BoundBlock(ctes)
        frame = Frame()
        for item in select.items:
            frame.add(self._item(item, block, Scope(frame, outer, select=select)))
        self.shown.frames[id(select)] = frame
        block.expect(select.queries)
        ast = select.ast
        if select.reshape is not None:
            frame.unknown, frame.stars, block.doubtful = True, None, True
            scope = self.scopes[id(select)] = Scope(frame, outer, select=select)
            self._expressions([value for key, value in ast.items() if key != "from"], block, scope)
            return scope
        projection = ast["projection"]
        scope = self.scopes[id(select)] = Scope(frame, outer, 1, _aliases(projection), "select", 0, select)
        if scope.aliases:
            for place, item in enumerate(projection):
                self._expressions([item], block, replace(scope, item=place))
        else:
            self._expressions(projection, block, scope)
        if ast.get("having") is not None:
            self._having(ast["having"], block, replace(scope, clause="having"))
        for clause in ("selection", "qualify"):
            if ast.get(clause) is not None:
                self._expressions([ast[clause]], block, replace(scope, clause=clause))
        self._ordered(ast.get("distinct"), block, replace(scope, clause="order"))
        left = [value for key, value in ast.items() if value and key not in _APART]
        self._expressions(left, block, replace(scope, clause="group_by"))
        return scope

    def _having(self, having: Ast, block: BoundBlock, scope: Scope) -> None:
        """HAVING, in which the arguments of aggregates see the rows that are aggregated."""
        if not scope.aliases:
            self._expressions([having], block, scope)
            return
        calls = [node["Function"] for node in walk(having, into_queries=False) if "Function" in node]
        aggregates = [call for call in calls if type(call) is dict and "args" in call and function_name(call) in WITH_PARTIAL_FORM]
        for mention in mentions([call["args"] for call in aggregates]).names:
            self._note(mention.node, self._resolved(mention, replace(scope, clause="selection")), block)
        self._expressions([having], block, scope)

    def _ordered(self, root: Any, block: BoundBlock, scope: Scope) -> None:
        """ORDER BY, or DISTINCT ON: what stands alone there is an alias first."""
        if type(root) is not dict:
            return
        kind = root.get("kind")
        alone = root["On"] if "On" in root else kind.get("Expressions", ()) if type(kind) is dict else ()
        nested: list[Ast] = []
        for item in alone:
            expression = bare(item.get("expr", item))
            listed = self._of_select_list(expression, scope)
            if listed is None:
                nested.append(expression)
            else:
                self._note(expression, listed[0], block)
        self._expressions(nested, block, scope)

    def _of_select_list(self, expression: Ast, scope: Scope) -> tuple[Meaning] | None:
        """What stands alone in ORDER BY or DISTINCT ON means by the select list: an alias, or of several columns of FROM with its name the
        only one that is listed. None for what means what it would elsewhere.
        """
        identifier = expression.get("Identifier")
        if identifier is None or scope.select is None:
            return None
        name = folded(str(identifier["value"]))
        place = scope.aliases.get(name)
        if place is not None:
            return (SelectAlias(place) if place >= 0 else None,)
        if scope.frame.names.get(name, scope) is not None:
            return None
        listed = self.shown.body_outputs(scope.select) or ()
        columns = {output.column for output in listed if output.name is not None and folded(output.name) == name}
        return (columns.pop() if len(columns) == 1 else None,)

    # FROM

    def _item(self, item: FromItem, block: BoundBlock, beside: Scope) -> Frame:
        """``beside`` is what stands before the item in FROM."""
        frame = self._relation(item.relation, block, beside)
        previous = item.relation
        for join in item.joins:
            other = self._relation(join.relation, block, Scope(frame, beside, 0, select=beside.select))
            joined = frame.copy()
            self._join(joined, join, other)
            block.expect(join.queries)
            self._expressions([join.ast["join_operator"]], block, Scope(joined, beside, 0, select=beside.select))
            if not _narrows(join, previous):
                frame = joined
            previous = join.relation
        return frame

    def _join(self, frame: Frame, join: Join, other: Frame) -> None:
        using = frame.common(other) if join.natural else join.using
        self.pairs[id(join)] = None if using is None else tuple((frame.column(name), other.column(name)) for name in using)
        frame.join(other, join.kind, using or ())
        if using is None:
            frame.unknown, frame.stars = True, None

    def _relation(self, relation: Relation, block: BoundBlock, scope: Scope) -> Frame:
        match relation:
            case CteRef():
                cte = block.ctes.get(folded(relation.name))
                if cte is not None:
                    self.shown.ctes[id(relation)] = cte
            case DerivedTable():
                self.query(relation.query, scope, block.ctes)
                block.queries.append(relation.query)
            case TableFunction():
                block.expect(relation.queries)
                factor = next(iter(relation.ast.values()))
                self._expressions([value for key, value in factor.items() if key not in ("alias", "name")], block, scope)
            case JoinedItem():
                frame = self._item(relation.item, block, scope)
                if relation.alias is None:
                    return frame
                self.shown.frames[id(relation)] = frame
            case Pivoted():
                self._relation(relation.relation, block, scope)
                block.doubtful = True
        return Frame.of(self.shown.source(relation), relation.alias)

    # Names

    def _expressions(self, roots: Iterable[Any], block: BoundBlock, scope: Scope) -> None:
        """Binds the names of expressions of a block, and the subqueries in them."""
        mentioned = mentions(*roots)
        known = self.shown.meanings
        for mention in mentioned.names:
            if id(mention.node) not in known and not _is_value(mention, scope):
                self._note(mention.node, self._resolved(mention, scope), block)
        block.doubtful |= mentioned.doubtful or may_be_columns(mentioned.words, scope)
        if scope.outer is not None:
            block.doubtful |= any(self._is_aggregated_outside(call) for call in mentioned.calls)
        for ast in mentioned.queries:
            query = block.below.pop(id(ast))
            self.query(query, scope, block.ctes)
            block.queries.append(query)

    def _is_aggregated_outside(self, call: Ast) -> bool:
        """Whether an aggregate has columns of blocks around and no others: then it may be theirs, and its names mean what they
        mean there.
        """
        if function_name(call) not in AGGREGATES:
            return False
        nodes = [mention.node for mention in mentions(call["args"]).names]
        meanings = [self.shown.meanings.get(id(node)) for node in nodes]
        columns = [meaning.column if type(meaning) is ColumnField else meaning for meaning in meanings]
        outside = bool(columns) and all(type(column) is BoundColumn and column.depth for column in columns)
        if outside:
            self.shown.meanings.update((id(node), None) for node in nodes)
        return outside

    def _note(self, node: Ast, meaning: Meaning, block: BoundBlock) -> None:
        self.shown.meanings[id(node)] = meaning
        if type(meaning) is BoundColumn:
            block.columns.append(meaning)
        elif type(meaning) is ColumnField:
            block.columns.append(meaning.column)
        elif meaning is None:
            block.doubtful = True

    def _resolved(self, mention: Mention, scope: Scope) -> Meaning:
        depth = 0
        at: Scope | None = None if mention.parameter else scope
        while at is not None:
            found, meaning = self._qualified(mention, at, depth) if len(mention.parts) > 1 else _alone(mention, at, depth)
            if found:
                return meaning
            depth += at.step
            at = at.outer
        return None

    def _qualified(self, mention: Mention, scope: Scope, depth: int) -> tuple[bool, Meaning]:
        """What ``a.b`` means in one scope, and whether the scopes around do not matter."""
        frame, (first, second, *rest) = scope.frame, mention.parts
        if first in frame.relations:
            source = frame.relations[first]
            column = None if source is None else source.column(second, depth)
            return True, ColumnField(column) if column is not None and (rest or mention.inside) else column
        if first in frame.names:
            source = frame.names[first]
            column = None if source is None else source.column(first, depth)
            is_struct = column is not None and (self.shown.type(column) or "").startswith("STRUCT")
            return True, ColumnField(column) if column is not None and is_struct else None
        return frame.unknown or first in scope.aliases or (frame.derived and not _is_plain(first)), None


def _alone(mention: Mention, scope: Scope, depth: int) -> tuple[bool, Meaning]:
    """What a bare name means in one scope, and whether the scopes around do not matter."""
    frame, (name,) = scope.frame, mention.parts
    place = scope.aliases.get(name)
    if name in frame.names:
        source = frame.names[name]
        # HAVING takes the alias, unless the rows are grouped by the column.
        doubtful = place is not None and scope.clause == "having"
        column = None if source is None or doubtful else source.column(name, depth)
        return True, ColumnField(column) if column is not None and mention.inside else column
    if frame.unknown or name in frame.relations or (frame.derived and not _is_plain(name)):
        return True, None
    if place is None:
        return False, None
    certain = place >= 0 and not depth and not mention.inside and (scope.clause != "select" or place < scope.item)
    if scope.clause == "qualify" and scope.outer is not None:  # there, columns of the blocks around come before aliases
        certain = False
    return True, SelectAlias(place) if certain else None


def _is_value(mention: Mention, scope: Scope) -> bool:
    """Whether a name is one that means no column where no column is called so, as here (``current_date``)."""
    name, *rest = mention.parts
    return name in VALUES_WITHOUT_PARENTHESES and not rest and not mention.inside and not may_be_columns([name], scope)


def may_be_columns(words: list[str], scope: Scope | None) -> bool:
    """Whether a function without parentheses may be a column."""
    while words and scope is not None:
        if scope.frame.unknown or any(word in scope.frame.names or word in scope.aliases for word in words):
            return True
        scope = scope.outer
    return False


def _aliases(projection: list[Ast]) -> dict[str, int]:
    aliases: dict[str, int] = {}
    for place, item in enumerate(projection):
        if "ExprWithAlias" in item:
            name = folded(str(item["ExprWithAlias"]["alias"]["value"]))
            aliases[name] = -1 if name in aliases else place
    return aliases


def _is_plain(name: str) -> bool:
    """Whether no text of an expression can be that name."""
    return _PLAIN.fullmatch(name) is not None and name not in _WORDS


def _narrows(join: Join, previous: Relation) -> bool:
    """Whether it is a SEMI or ANTI join, whose right side is not seen behind it."""
    operator = join.ast["join_operator"]
    kind = next(iter(operator)) if type(operator) is dict else operator
    return kind in ("Semi", "Anti") or join_word(previous.ast, True) is not None
