"""Qualified names: ``volley.main.t.c``, ``volley.t.c`` and ``main.t.c`` become ``t.c``, since a fragment's relations have no schema.

What stands before the dots may as well be an alias or a column with fields. The kernel looks, in the innermost block first, for
(1) a table that FROM names without an alias and that has the column; (2) a relation of the first name's alias that has the second as a
column; (3) a column of the first name; (4) a whole row, ``main.t``. Only (1) and (4) are rewritten: the others mean in a fragment what
they mean in the statement. Where names alone cannot tell, the name is refused rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.ast import Ast, name_parts, span_of, walk
from planner.catalog import CATALOG_NAME, SCHEMA_NAME, SCHEMA_PREFIXES
from planner.errors import InvalidQuery, PlannerError, UnknownColumn
from planner.kernel_errors import column_remedy
from planner.logical import (
    Body,
    DerivedTable,
    FromItem,
    JoinedItem,
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
from planner.quoting import folded
from planner.references import References, references

Block = tuple[Relation, ...]
"""The relations whose names one FROM shows."""
Scopes = tuple[Block, ...]
"""Blocks from the innermost to the outermost."""


@dataclass(frozen=True, slots=True)
class DottedName:
    """A name with dots in it. ``parts`` are in lower case; ``node`` is where it stands. A ``star`` stands behind the last dot."""

    node: Ast
    parts: tuple[str, ...]
    star: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether it may begin with the catalog or the schema, or is a star that only a table's name may precede."""
        return len(self.parts) > 1 and (self.star or self.parts[0] in (CATALOG_NAME, SCHEMA_NAME))

    def __str__(self) -> str:
        return ".".join((*self.parts, "*") if self.star else self.parts)

    def without(self, count: int) -> Ast:
        """The node without the first ``count`` parts."""
        match self.node:
            case {"CompoundIdentifier": parts}:
                rest = parts[count:]
                return {"CompoundIdentifier": rest} if len(rest) > 1 else {"Identifier": rest[0]}
            case {"CompoundFieldAccess": {"access_chain": chain}}:
                return {"CompoundFieldAccess": {"root": chain[count - 1]["Dot"], "access_chain": chain[count:]}}
            case {"ObjectName": parts}:
                return {"ObjectName": parts[count:]}
            case {"QualifiedWildcard": [list() as parts, star]}:
                return {"QualifiedWildcard": (parts[count:], star)}
            case _:
                return {"QualifiedWildcard": self.node["QualifiedWildcard"][count:]}


def dotted_name(node: Ast) -> DottedName | None:
    """The dotted name that ``node`` is, if it is one."""
    match node:
        case {"CompoundIdentifier": parts}:
            return DottedName(node, _folded(parts))
        case {"CompoundFieldAccess": {"root": {"Identifier": first}, "access_chain": chain}}:
            # The parser reads main.t.c[1] as a name, and all behind its dot as accesses.
            dots: list[Ast] = []
            for access in chain:
                name = access.get("Dot", {}).get("Identifier")
                if name is None:
                    break
                dots.append(name)
            return DottedName(node, _folded([first, *dots]))
        case {"ObjectName": parts}:
            return DottedName(node, _folded(name_parts(parts) or ()), star=True)
        case {"QualifiedWildcard": [list() as parts, _] | parts} if type(parts[0]) is dict and name_parts(parts):
            return DottedName(node, _folded(name_parts(parts) or ()), star=True)
        case _:
            return None


def _folded(parts: Any) -> tuple[str, ...]:
    return tuple(folded(str(part["value"])) for part in parts)


def shorten_names(query: QueryBlock, parsed: ParsedSql) -> Mapping[int, Ast]:
    """What to put in place of the nodes of ``query`` that are names with a schema, by the nodes' ids.

    The scans' columns must be known. Raises ``InvalidQuery`` and ``UnknownColumn``.
    """
    collected = _Names()
    collected.query(query, ())
    written = collected.written | {folded(column.name) for scan in collected.scans for column in scan.columns}
    # A derived relation may have the fields of a struct for columns.
    types = " ".join(folded(column.type) for scan in collected.scans for column in scan.columns if "(" in column.type)
    derived = written | set(re.findall(r"\w+", types)) | {name.parts[-1] for name, _ in collected.found}
    resolver = _Resolver(parsed, frozenset(written), frozenset(derived), collected.pivoted)
    dropped = ((name, resolver.dropped(name, scopes)) for name, scopes in collected.found)
    return {id(name.node): name.without(count) for name, count in dropped if count}


@dataclass(slots=True)
class _Names:
    """The doubtful names of a query with the blocks around them, and ``written``: what may be the name of a derived relation's column."""

    found: list[tuple[DottedName, Scopes]] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    pivoted: bool = False

    def query(self, query: QueryBlock, outer: Scopes) -> Scopes:
        for cte in query.ctes:
            self.written |= _column_aliases(cte.ast)
            self.query(cte.query, outer)
        scopes = self.body(query.body, outer)
        self.expressions([value for key, value in query.ast.items() if key not in ("with", "body")], query.queries, scopes)
        return scopes

    def body(self, body: Body, outer: Scopes) -> Scopes:
        """Returns the blocks that an ORDER BY behind the body sees."""
        match body:
            case Select():
                scopes = (tuple(_shown(body.items)), *outer)
                self.expressions([value for key, value in body.ast.items() if key != "from"], body.queries, scopes)
                for item in body.items:
                    self.item(item, scopes)
                return scopes
            case QueryBlock():
                return self.query(body, outer)
            case SetOperation():
                first, *_ = [self.body(operand, outer) for operand in body.operands]
                return first
            case Values():
                self.expressions(body.ast, body.queries, outer)
                return outer

    def item(self, item: FromItem, scopes: Scopes) -> None:
        self.relation(item.relation, scopes)
        for join in item.joins:
            self.expressions(join.ast["join_operator"], join.queries, scopes)
            self.relation(join.relation, scopes)

    def relation(self, relation: Relation, scopes: Scopes) -> None:
        self.written |= _column_aliases(next(iter(relation.ast.values())))
        match relation:
            case Scan():
                self.scans.append(relation)
            case DerivedTable():
                self.query(relation.query, scopes)
            case TableFunction():
                self.written.add(relation.alias or "")
                self.expressions(relation.ast, relation.queries, scopes)
            case JoinedItem():
                self.item(relation.item, (tuple(_shown((relation.item,))), *scopes[1:]))
            case Pivoted():
                # The kernel takes no qualified names in PIVOT: nothing is to be rewritten there.
                self.pivoted = True
                self.relation(relation.relation, scopes[1:])

    def expressions(self, root: Any, queries: tuple[QueryBlock, ...], scopes: Scopes) -> None:
        mentioned = references(root)
        self.written |= mentioned.bare | _last_parts(mentioned)
        for node in walk(root, into_queries=False):
            name = dotted_name(node)
            if name is not None and name.doubtful:
                self.found.append((name, scopes))
        for query in queries:
            self.query(query, scopes)


def _last_parts(mentioned: References) -> set[str]:
    """The names behind dots, but ``t`` of ``main.t.c``: as such it is no column."""
    return {second for first, second in mentioned.pairs if first not in (CATALOG_NAME, SCHEMA_NAME)}


def _column_aliases(factor: Ast) -> set[str]:
    columns = (factor.get("alias") or {}).get("columns") or ()
    return {folded(str(column["name"]["value"])) for column in columns}


def _shown(items: tuple[FromItem, ...]) -> Iterator[Relation]:
    """The relations that can be referred to by name: an alias around a join hides those inside."""
    for item in items:
        for relation in (item.relation, *(join.relation for join in item.joins)):
            if isinstance(relation, JoinedItem) and relation.alias is None:
                yield from _shown((relation.item,))
            else:
                yield relation


Certainty = Literal["no", "maybe", "yes"]


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Decides by the rules in this module's docstring.

    ``written`` are the names that the statement gives or uses, ``derived`` those that a derived relation's columns may have, unless
    there are ``pivoted`` ones, which may have any.
    """

    parsed: ParsedSql
    written: frozenset[str]
    derived: frozenset[str]
    pivoted: bool

    def dropped(self, name: DottedName, scopes: Scopes) -> int:
        """How many parts of ``name`` are the catalog and the schema."""
        if name.star:
            return self._dropped_from_star(name, scopes[0] if scopes else ())
        doubt = False
        for depth, block in enumerate(scopes):
            count = _table_prefix(name, block)
            if count:
                table, column = name.parts[count : count + 2]
                captured = any(self._captures(inner, table, column) for inner in scopes[:depth])
                if doubt or captured:
                    raise self._ambiguous(name)
                return count
            other = self._other_meaning(name, block)
            if other == "yes":
                return 0
            count = _row_prefix(name, block)
            if count:
                table = name.parts[count]
                alone = sum(relation.alias == table for inner in scopes[: depth + 1] for relation in inner) == 1
                if doubt or other == "maybe" or not alone or self.written.intersection((name.parts[0], table)):
                    raise self._ambiguous(name)
                return count
            doubt |= other == "maybe"
        if not doubt:
            self._refuse_unknown_column(name, scopes)
        return 0

    def _dropped_from_star(self, name: DottedName, block: Block) -> int:
        count = _row_prefix(name, block)
        if count:
            return count
        remedy = "Before .* stands the name of a table or an alias; the fields of a struct are had by unnest(…)."
        raise self.parsed.error(InvalidQuery, f"'{name}' is not the name of a table in FROM", span_of(name.node), remedy)

    def _other_meaning(self, name: DottedName, block: Block) -> Certainty:
        """Whether the name begins with an alias or a column of the block."""
        first, second = name.parts[:2]
        found: Certainty = "no"
        for relation in block:
            as_field = self._has_column(relation, first)
            as_column = self._has_column(relation, second) if relation.alias == first else "no"
            if "yes" in (as_field, as_column):
                return "yes"
            if "maybe" in (as_field, as_column):
                found = "maybe"
        return found

    def _captures(self, block: Block, table: str, column: str) -> bool:
        """Whether ``table.column`` may mean something in a block inside of the one whose table is meant."""
        return any(
            self._has_column(relation, table) != "no" or (relation.alias == table and self._has_column(relation, column) != "no")
            for relation in block
        )

    def _has_column(self, relation: Relation, column: str) -> Certainty:
        if isinstance(relation, Scan) and not relation.rigid:
            return "yes" if _has(relation, column) else "no"
        return "maybe" if self.pivoted or column in self.derived else "no"

    def _ambiguous(self, name: DottedName) -> PlannerError:
        remedy = "Give the table an alias in FROM that is no other name of the statement, and write that before the column."
        return self.parsed.error(InvalidQuery, f"'{name}' may mean several things here", span_of(name.node), remedy)

    def _refuse_unknown_column(self, name: DottedName, scopes: Scopes) -> None:
        """Raises ``UnknownColumn`` where the name can only be that of a table and of a column that the table lacks."""
        for block in scopes:
            for _, table, column in _readings(name):
                for scan in _tables(block, table):
                    remedy = column_remedy(column, [known.name for known in scan.columns])
                    message = f"there is no column '{column}' in {table}"
                    raise self.parsed.error(UnknownColumn, message, span_of(name.node), remedy)


def _readings(name: DottedName) -> Iterator[tuple[int, str, str]]:
    """Each way to read ``name`` as one of a column: how many parts stand before the table, the table and the column."""
    for prefix in SCHEMA_PREFIXES:
        count = len(prefix)
        if name.parts[:count] == prefix and len(name.parts) > count + 1:
            yield count, name.parts[count], name.parts[count + 1]


def _table_prefix(name: DottedName, block: Block) -> int:
    """How many parts of ``name`` stand before a table of the block and a column that it has; 0 where there is no such table."""
    readings = (count for count, table, column in _readings(name) if any(_has(scan, column) for scan in _tables(block, table)))
    return next(readings, 0)


def _row_prefix(name: DottedName, block: Block) -> int:
    """How many parts of ``name`` stand before a table of the block and nothing else; 0 where there is no such table."""
    *prefix, table = name.parts
    return len(prefix) if tuple(prefix) in SCHEMA_PREFIXES and any(_tables(block, table)) else 0


def _tables(block: Block, name: str) -> Iterator[Scan]:
    """The tables of that name which the block's FROM names without an alias."""
    return (relation for relation in block if isinstance(relation, Scan) and relation.in_schema and relation.alias == name)


def _has(scan: Scan, column: str) -> bool:
    return any(folded(known.name) == column for known in scan.columns)
