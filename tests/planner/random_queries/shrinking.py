"""Making a query that ended badly smaller: leave out clauses, items, joins and terms as long as it ends the same way."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from planner import PlanOptions
from planner.errors import VolleyError
from planner.limits import DEFAULT_LIMITS
from planner.parse import UNKNOWN_CHAIN, parse, print_sql
from tests.planner.random_queries.compared_catalog import ComparedCatalog
from tests.planner.random_queries.statements import RandomQuery
from tests.planner.random_queries.trial import Trial, tried

MOST_TRIALS = 200
MOST_SECONDS = 60.0
"""What one query may take to be made small: some fail slowly."""


def shrunk(query: RandomQuery, trial: Trial, catalog: ComparedCatalog, options: PlanOptions) -> tuple[RandomQuery, Trial]:
    """The smallest query that was found to end as ``query`` did, and how."""
    trials = 0
    end = time.monotonic() + MOST_SECONDS
    again = True
    while again and trials < MOST_TRIALS and time.monotonic() < end:
        again = False
        for sql in smaller(query.sql):
            trials += 1
            if trials > MOST_TRIALS or time.monotonic() > end:
                break
            candidate = replace(query, sql=sql)
            ended = tried(candidate, catalog, options)
            if ended.outcome == trial.outcome and same_reason(ended, trial):
                query, trial, again = candidate, ended, True
                break
    return query, trial


def same_reason(one: Trial, other: Trial) -> bool:
    """Whether errors begin alike, so that another mistake made on the way is not taken for the one that is looked for."""
    if one.outcome == "different":
        return one.why.partition(":")[0] == other.why.partition(":")[0]
    return one.why[:40] == other.why[:40]


def smaller(sql: str) -> Iterator[str]:
    """Statements with something left out, the shortest first."""
    try:
        ast = parse(sql, DEFAULT_LIMITS).ast
    except VolleyError:
        return
    texts: set[str] = set()
    for change in list(_changes(ast)):
        try:
            text = print_sql(change, UNKNOWN_CHAIN)
        except Exception:
            continue
        if len(text) < len(sql):
            texts.add(text)
    yield from sorted(texts, key=len)


def _changes(root: Any) -> Iterator[Any]:
    """Copies of the tree with one place changed."""
    for path, node in list(_places(root, ())):
        for replacement in _replacements(node):
            yield _with(root, path, copy.deepcopy(replacement))


def _with(node: Any, path: tuple[Any, ...], replacement: Any) -> Any:
    if not path:
        return replacement
    step, inner = path[0], path[1:]
    if isinstance(node, dict):
        return {**node, step: _with(node[step], inner, replacement)}
    changed = list(node)
    changed[step] = _with(node[step], inner, replacement)
    return changed if isinstance(node, list) else tuple(changed)


def _places(node: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("span", "order_by"):  # with less of an order, what a window or a LIMIT gives is not determined
                yield from _places(value, (*path, key))
    elif isinstance(node, list | tuple):
        for place, value in enumerate(node):
            yield from _places(value, (*path, place))


def _replacements(node: Any) -> Iterator[Any]:
    """What may stand at a place instead of ``node``, smaller."""
    if isinstance(node, list):
        for place in range(len(node)):
            yield node[:place] + node[place + 1 :]
    if not isinstance(node, dict):
        return
    if "BinaryOp" in node:
        yield node["BinaryOp"]["left"]
        yield node["BinaryOp"]["right"]
    if "Nested" in node:
        yield node["Nested"]
    if "UnaryOp" in node:
        yield node["UnaryOp"]["expr"]
    if "SetOperation" in node:
        yield node["SetOperation"]["left"]
        yield node["SetOperation"]["right"]
    if "Query" in node and isinstance(node["Query"], dict):
        yield from (value for value in [node["Query"].get("body")] if value is not None)
    if "Case" in node:
        yield node["Case"]["conditions"][0]["result"]
    for key in ("selection", "having", "qualify", "filter", "with", "limit_clause", "distinct", "over"):
        if node.get(key) is not None:
            yield {**node, key: None}
