"""SUMMARIZE, PIVOT, UNPIVOT and DESCRIBE as queries: read off the marks that ``spellings`` left, and written as the kernel has them."""

from __future__ import annotations

from collections.abc import Callable

from planner.ast import BARE_QUERY, BARE_TABLE, NO_GROUPS, Ast, span_of, subqueries, verbatim, verbatim_identifier
from planner.errors import InvalidQuery, NotSupported, SqlSyntaxError
from planner.logical import Reshape
from planner.parse import ParsedSql, print_sql
from planner.spellings import DESCRIBE, NAME, PIVOT, SUMMARIZE, UNPIVOT, USING, VALUE

_OPERATIONS = frozenset(("BinaryOp", "UnaryOp", "Collate", "IsNull", "IsNotNull", "Between", "Like", "ILike"))
MAX_LISTING_CHARS = 200
"""A query this short is told in a remedy."""

_NOT_THERE = ("distinct", "selection", "having", "qualify", "named_window")
"""Clauses that a SELECT has and these have not."""


def reshape_of(select: Ast, parsed: ParsedSql) -> Reshape | None:
    """What the SELECT stands for; None where it is one. Raises ``SqlSyntaxError``, ``NotSupported`` and ``InvalidQuery``."""
    mark = parsed.scanned.mark
    kind = None if mark is None else _marked(select["projection"][0], mark) if select["projection"] else None
    if mark is None or kind not in (SUMMARIZE, DESCRIBE, PIVOT, UNPIVOT):
        return None
    parts: dict[str, list[Ast]] = {kind: []}
    part = parts[kind]
    for item in select["projection"][1:]:
        name = _marked(item, mark)
        if name is None:
            part.append(item)
        else:
            part = parts.setdefault(name, [])
    reshape = Reshape(kind, *(tuple(parts.get(name, ())) for name in (kind, USING, NAME, VALUE)))
    _check(reshape, select, parsed)
    return reshape


def _marked(item: Ast, mark: str) -> str | None:
    """What a mark in a select list says; None for any other item."""
    expression = item.get("UnnamedExpr", {})
    name = str(expression["Identifier"]["value"]) if "Identifier" in expression else ""
    return name.removeprefix(mark) if name.startswith(mark) else None


def _check(reshape: Reshape, select: Ast, parsed: ParsedSql) -> None:
    word = reshape.kind.upper()
    grouped = reshape.kind != PIVOT and any(select["group_by"].get("Expressions", ("all",)))
    if grouped or any(select.get(key) for key in _NOT_THERE):
        remedy = f"Write {word} (SELECT … FROM … WHERE …)" + (" ON …." if reshape.kind in (PIVOT, UNPIVOT) else ".")
        place = next((span for key in (*_NOT_THERE, "group_by") if (span := span_of(select.get(key))) is not None), None)
        raise parsed.error(SqlSyntaxError, f"{word} takes the rows of a table or a query as they are", place, remedy)
    below = subqueries([*reshape.on, *reshape.using])
    if below:
        raise parsed.error(NotSupported, f"a subquery in {word} is not supported", span_of(below[0]), "Write the values, or join first.")
    if reshape.kind != PIVOT:
        return
    for item in reshape.on:
        listed = _expression(item).get("InList")
        if listed is None or listed["negated"]:
            message = "PIVOT has to know the values that become columns before it runs"
            raise parsed.error(InvalidQuery, message, span_of(item), _pivot_remedy(item, select, parsed))
        if listed["expr"].keys() & _OPERATIONS:  # to the kernel IN would be part of the operation, and its truth what is pivoted on
            remedy = "Write PIVOT t ON (a || b) IN ('x', 'y')."
            raise parsed.error(InvalidQuery, "an operation before IN of PIVOT needs parentheses", span_of(listed["expr"]), remedy)


def _pivot_remedy(item: Ast, select: Ast, parsed: ParsedSql) -> str:
    """How to write the values, and the query that lists them."""
    expression = _expression(item)
    pivoted = expression["InList"]["expr"] if "InList" in expression else expression
    asked = {
        **select,
        "projection": [{"UnnamedExpr": pivoted} if pivoted else item],
        "distinct": "Distinct",
        "group_by": NO_GROUPS,
        "flavor": "Standard",
    }
    listing = print_sql({"Query": {**BARE_QUERY, "body": {"Select": asked}}}, parsed.scanned.chain_terms)
    listing = listing if len(listing) <= MAX_LISTING_CHARS else "SELECT DISTINCT c FROM t"
    return f"Write them behind IN: PIVOT t ON c IN ('a', 'b') USING sum(v). They are what {listing} gives."


def _expression(item: Ast) -> Ast:
    found: Ast = item["ExprWithAlias"]["expr"] if "ExprWithAlias" in item else item.get("UnnamedExpr", {})
    return found


def reshaped(select: Ast, reshape: Reshape, print_select: Callable[[Ast], str]) -> Ast:
    """``SELECT * FROM (PIVOT (SELECT * FROM …) ON …)``: the SELECT that is printed in place of the one with marks.

    ``print_select`` prints a SELECT without the clauses around it.
    """
    rows = {**select, "projection": [_ALL], "group_by": NO_GROUPS, "flavor": "Standard"}

    def listed(items: tuple[Ast, ...]) -> str:
        return print_select({**rows, "projection": list(items), "from": []}).removeprefix("SELECT ")

    groups = print_select({**rows, "projection": [_ONE], "from": [], "group_by": select["group_by"]}).removeprefix("SELECT 1")
    text = f"{reshape.kind.upper()} ({print_select(rows)})"
    text += f" ON {listed(reshape.on)}" if reshape.on else ""
    text += f" USING {listed(reshape.using)}" if reshape.using else ""
    text += f" INTO NAME {listed(reshape.name)} VALUE {listed(reshape.value)}" if reshape.name else ""
    source = {"Table": {**BARE_TABLE, "name": [{"Identifier": verbatim_identifier(f"({text}{groups})")}]}}
    told = {**rows, "projection": _DESCRIBED} if reshape.kind == DESCRIBE else rows
    return {**told, "from": [{"relation": source, "joins": []}]}


_ONE: Ast = {"UnnamedExpr": verbatim("1")}
_ALL: Ast = {"UnnamedExpr": verbatim("*")}
_DESCRIBED: list[Ast] = [{"UnnamedExpr": verbatim(name)} for name in ("column_name", "column_type", '"null"')]
