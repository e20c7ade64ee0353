"""A block in two steps: what each share of its rows is asked, and what is asked of the shares' answers.

::

    SELECT c, sum(x) AS s FROM t JOIN u … WHERE … GROUP BY c HAVING sum(x) > 1 ORDER BY s DESC LIMIT 3

    partial, on each share    SELECT c AS k0, sum(x) EXPORT_STATE AS a0 FROM t JOIN u … WHERE … GROUP BY ALL
    final, over all answers   SELECT k0 AS c, <sum of a0> AS s FROM answers GROUP BY k0 HAVING <sum of a0> > 1 ORDER BY s DESC LIMIT 3

FROM and WHERE belong to the partial block, all that comes behind GROUP BY to the final one. Without aggregates the partial block makes the
items themselves, distinct ones or the first ones of each share where that is what is asked for; or, where there are windows, it gives
the columns that the final block mentions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from planner.ast import SEQUENCES, Ast, identifier, is_query, substitute, verbatim, verbatim_identifier, walk
from planner.distribute.partial_aggregates import AGGREGATES, WITH_PARTIAL_FORM, combined
from planner.distribute.scopes import BoundColumn, Names, SelectAlias
from planner.logical import Answers, FromItem, QueryBlock, Select
from planner.quoting import folded, quote_name
from planner.references import function_name

_REFUSED_CLAUSES = ("top", "lateral_views", "connect_by", "prewhere", "cluster_by", "distribute_by", "sort_by")
_NO_GROUPS: Ast = {"Expressions": [[], []]}
_ALL_GROUPS: Ast = {"All": []}
_SUBSTITUTED = ("having", "qualify", "named_window")


class OneStep(Exception):
    """The block cannot be told in two steps for certain. The message says why."""


class Writer(Protocol):
    """How syntax trees become text here, and what the kernel calls a column without an alias."""

    def expression(self, ast: Ast) -> str:
        """An expression as SQL."""

    def column_name(self, ast: Ast) -> str | None:
        """What a column of this expression is called; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A column of the partial block. One that is the state of an ``aggregate`` has its call for ``expression``."""

    name: str
    expression: Ast
    aggregate: str | None = None


@dataclass(slots=True)
class TwoSteps:
    """``select``, which is the body of ``query``, in two steps. ``prefix`` begins no name of the statement.

    Raises ``OneStep`` when it is made, where it cannot be told in two steps, and from no other method.
    """

    select: Select
    query: QueryBlock
    names: Names
    writer: Writer
    prefix: str
    answers: list[Answer] = field(default_factory=list)
    grouped: bool = False
    _placed: dict[Any, Ast] = field(default_factory=dict)
    _states: dict[int, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ast = self.select.ast
        if self.select.reshape is not None or any(ast.get(key) for key in _REFUSED_CLAUSES):
            raise OneStep("it is no plain SELECT")
        behind = [ast["projection"], ast["having"], ast["qualify"], self.query.ast["order_by"]]
        called = [node["Function"] for node in _expressions(behind) if "Function" in node]
        windows = ast["qualify"] is not None or any(function.get("over") is not None for function in called)
        self.grouped = _is_grouped(ast) or any(_is_aggregate(function) for function in called)
        ...
