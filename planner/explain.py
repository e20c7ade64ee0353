"""A plan that prints itself: the result on top, what feeds it below, indented; and the forms in which EXPLAIN asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from planner.ast import Ast, Span, span_of
from planner.choices import PlanChoice, choice_document, choice_lines, division_words, tables_document
from planner.errors import NotSupported
from planner.parse import ParsedSql
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, RuntimeFilter, ScanInput
from planner.sizes import format_size

MAX_SQL_CHARS = 2_000


def plan_text(fragments: Sequence[Fragment], exchanges: Sequence[PlannedExchange], choice: PlanChoice | None = None) -> str:
    """The tree of fragments, exchanges and scans, from the result down; what several read stands below the first of them. Under it, which
    ways to divide tables there were.
    """
    graph = _Graph(fragments, exchanges)
    columns = ", ".join(f"{column.name} {column.type}" for column in graph.result.columns)
    lines = [f"result: {columns}" if columns else "result"]
    lines += _fragment(graph.producers[graph.result.id], graph, 1)
    lines += () if choice is None else choice_lines(choice)
    return "\n".join(lines)


class _Graph:
    """Fragments by the exchanges that they put out into, and which exchanges have been told."""

    def __init__(self, fragments: Sequence[Fragment], exchanges: Sequence[PlannedExchange]) -> None:
        self.producers = {fragment.output: fragment for fragment in fragments}
        self.exchanges = {exchange.id: exchange for exchange in exchanges}
        self.result = next(exchange for exchange in exchanges if exchange.kind == "result")
        self._told: set[int] = set()

    def first(self, exchange: int) -> bool:
        """Whether it was not told before."""
        new = exchange not in self._told
        self._told.add(exchange)
        return new


def _fragment(fragment: Fragment, graph: _Graph, depth: int) -> Iterator[str]:
    sql = fragment.sql if len(fragment.sql) <= MAX_SQL_CHARS else fragment.sql[:MAX_SQL_CHARS] + " …"
    yield _indent(depth, f"fragment {fragment.id} ({_mode(fragment)}): {' '.join(sql.split())}")
    divided = fragment.divided
    for relation in fragment.inputs:
        if isinstance(relation, ScanInput):
            whole = ", whole" if fragment.parallel and relation.name not in divided else ""
            yield _indent(depth + 1, f"{_scan(relation)}{whole}")
            for each in fragment.filters:
                if each.input == relation.name:
                    yield from _filter(each, graph, depth + 2)
            continue
        exchange = graph.exchanges[relation.exchange]
        columns = ", ".join(column.name for column in relation.columns)
        first = graph.first(exchange.id)
        told = f"{relation.name}: exchange {exchange.id} ({_exchange(exchange)}) {columns}"
        yield _indent(depth + 1, f"{told}{'' if first else ', as above'}")
        if first:
            yield from _fragment(graph.producers[exchange.id], graph, depth + 2)


def _filter(each: RuntimeFilter, graph: _Graph, depth: int) -> Iterator[str]:
    first = graph.first(each.exchange)
    told = f"runtime filter on {each.column} from {each.source}: exchange {each.exchange} (filter)"
    yield _indent(depth, f"{told}{'' if first else ', as above'}")
    if first:
        yield from _fragment(graph.producers[each.exchange], graph, depth + 1)


def _mode(fragment: Fragment) -> str:
    if not fragment.parallel:
        return "once"
    how = division_words(fragment.division) or ("split by split" if fragment.by_splits else "")
    shares = "in shares of buckets, made as it runs" if fragment.bucketed else f"in {len(fragment.shares)} shares"
    return ", ".join(part for part in ("parallel", how, shares) if part)


def _exchange(exchange: PlannedExchange) -> str:
    parts: list[str] = [exchange.label or exchange.kind]
    if exchange.buckets:
        parts.append(f"{exchange.buckets} buckets")
    if exchange.estimated_bytes is not None:
        parts.append(f"about {format_size(exchange.estimated_bytes)}" if exchange.estimated_bytes >= 1000 else "next to nothing")
    return ", ".join(parts)


def _scan(scan: ScanInput) -> str:
    files = len({split.file.path for split in scan.splits})
    parts = [
        f"{len(scan.columns)} of {len(scan.table_columns)} columns"
        + (f" ({', '.join(c.name for c in scan.columns)})" if scan.columns else ""),
        f"{files} of {scan.files_total} files",
    ]
    if scan.row_groups_total is not None:
        parts.append(f"{scan.row_groups_kept} of {scan.row_groups_total} row groups")
    parts.append(f"{len(scan.splits)} splits")
    parts += [f"{name} = {value}" for name, value in scan.options]
    predicate = f", where {scan.predicate}" if scan.predicate else ""
    return f"{scan.name}: scan {scan.table}: {', '.join(parts)}{predicate}"


def _indent(depth: int, text: str) -> str:
    return "  " * depth + text


def plan_json(plan: PhysicalPlan, **beside: Any) -> str:
    """The same as a JSON document, with what is to stand ``beside`` the plan in it."""
    graph = _Graph(plan.fragments, plan.exchanges)

    def of_fragment(fragment: Fragment) -> dict[str, Any]:
        divided = fragment.divided

        def of_scan(scan: ScanInput) -> dict[str, Any]:
            filters = [of_filter(each) for each in fragment.filters if each.input == scan.name]
            return {**_json_scan(scan), "whole": scan.name not in divided, "filters": filters}

        inputs = [of_scan(relation) if isinstance(relation, ScanInput) else of_exchange(relation) for relation in fragment.inputs]
        told = {"fragment": fragment.id, "parallel": fragment.parallel, "shares": len(fragment.shares), "sql": fragment.sql}
        return {**told, "divided": tables_document(fragment.division), "inputs": inputs}

    def of_exchange(relation: ExchangeInput) -> dict[str, Any]:
        columns = [column.name for column in relation.columns]
        exchange = graph.exchanges[relation.exchange]
        told = {"name": relation.name, "exchange": exchange.id, "kind": exchange.kind, "columns": columns}
        told |= {"estimated_bytes": exchange.estimated_bytes, "buckets": exchange.buckets or None, "by": exchange.label or None}
        producer = graph.producers[exchange.id]
        return {**told, "from": of_fragment(producer) if graph.first(exchange.id) else {"fragment": producer.id}}

    def of_filter(each: RuntimeFilter) -> dict[str, Any]:
        told = {"column": each.column, "source": each.source, "exchange": each.exchange}
        producer = graph.producers[each.exchange]
        return {**told, "from": of_fragment(producer) if graph.first(each.exchange) else {"fragment": producer.id}}

    document = {
        "columns": [{"name": column.name, "type": column.type} for column in graph.result.columns],
        "plan": of_fragment(graph.producers[graph.result.id]),
        "choice": None if plan.choice is None else choice_document(plan.choice),
        **beside,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _json_scan(scan: ScanInput) -> dict[str, Any]:
    """A scan in the document."""
    return {
        "name": scan.name,
        "table": scan.table,
        "columns": [column.name for column in scan.columns],
        "files": len({split.file.path for split in scan.splits}),
        "files_total": scan.files_total,
        "row_groups": scan.row_groups_kept,
        "row_groups_total": scan.row_groups_total,
        "splits": len(scan.splits),
        "predicate": scan.predicate,
    }


@dataclass(frozen=True, slots=True)
class ExplainForm:
    """What an EXPLAIN asks for."""

    analyze: bool
    json: bool


def explain_form(ast: Ast, parsed: ParsedSql) -> ExplainForm:
    """Reads ``EXPLAIN ANALYZE``, ``VERBOSE`` (the plan is complete anyhow), ``FORMAT JSON`` and ``(ANALYZE, FORMAT JSON)``.

    Raises ``NotSupported`` for what would do nothing.
    """
    analyze, form, place = bool(ast["analyze"]), "text", None
    if ast["format"] is not None:
        form = _word(next(iter(ast["format"].values())) if type(ast["format"]) is dict else ast["format"])
    for option in ast["options"] or ():
        name, argument = str(option["name"]["value"]).lower(), option["arg"]
        place = span_of(option["name"])
        match name:
            case "format" if argument is not None:
                form, place = _word(argument), span_of(argument) or place
            case "analyze":
                analyze = argument is None or _word(argument) in ("true", "on", "1")
            case "verbose":
                pass
            case _:
                raise _unknown(f"EXPLAIN has no option {name.upper()}", place, parsed)
    if form not in ("text", "json"):
        raise _unknown(f"EXPLAIN has no format {form.upper()}", place, parsed)
    return ExplainForm(analyze, form == "json")


def _unknown(message: str, place: Span | None, parsed: ParsedSql) -> Exception:
    remedy = "Write EXPLAIN, EXPLAIN ANALYZE, EXPLAIN (FORMAT JSON) or EXPLAIN (ANALYZE, FORMAT JSON)."
    return parsed.error(NotSupported, message, place, remedy)


def _word(argument: Any) -> str:
    """An option's value in lower case: a word, a string, a number or a truth value."""
    match argument:
        case (
            {"Identifier": {"value": value}}
            | {"Value": {"value": {"SingleQuotedString": value}}}
            | {"Value": {"value": {"Boolean": value}}}
        ):
            return str(value).lower()
        case {"Value": {"value": {"Number": [value, *_]}}}:
            return str(value)
        case _:
            return str(argument).lower()
