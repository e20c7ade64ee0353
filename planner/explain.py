"""A plan that prints itself: the result on top, what feeds it below, indented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.physical import Fragment, PlannedExchange, ScanInput

MAX_SQL_CHARS = 2_000


def plan_text(fragments: Sequence[Fragment], exchanges: Sequence[PlannedExchange]) -> str:
    """The tree of fragments, exchanges and scans, from the result down."""
    producers = {fragment.output: fragment for fragment in fragments}
    result = next(exchange for exchange in exchanges if exchange.kind == "result")
    columns = ", ".join(f"{column.name} {column.type}" for column in result.columns)
    lines = [f"result: {columns}" if columns else "result"]
    lines += _fragment(producers[result.id], producers, {exchange.id: exchange for exchange in exchanges}, 1)
    return "\n".join(lines)


def _fragment(fragment: Fragment, producers: dict[int, Fragment], exchanges: dict[int, PlannedExchange], depth: int) -> Iterator[str]:
    mode = "parallel, split by split" if fragment.parallel else "once"
    sql = fragment.sql if len(fragment.sql) <= MAX_SQL_CHARS else fragment.sql[:MAX_SQL_CHARS] + " …"
    yield _indent(depth, f"fragment {fragment.id} ({mode}): {' '.join(sql.split())}")
    for relation in fragment.inputs:
        if isinstance(relation, ScanInput):
            yield _indent(depth + 1, _scan(relation))
        else:
            exchange = exchanges[relation.exchange]
            columns = ", ".join(column.name for column in relation.columns)
            yield _indent(depth + 1, f"{relation.name}: exchange {exchange.id} ({exchange.kind}) {columns}")
            yield from _fragment(producers[relation.exchange], producers, exchanges, depth + 2)


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
