"""EXPLAIN ANALYZE: the plan's text, and under it what each operator did."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from flight_server.protocol.messages import OperatorStatus
from flight_server.settings.quantities import format_size


class RowCounter:
    """Takes the rows of a query that is run to be measured, and keeps none."""

    def append(self, batch: pa.RecordBatch) -> None:
        """Drops the batch."""


def analyze_lines(plan: str, operators: Sequence[OperatorStatus], seconds: float) -> list[str]:
    """The plan, then a line for each operator with its rows, bytes, time, reads, spill and retries, and its instances below it."""
    lines = [*plan.splitlines(), "", f"ran in {seconds:.3f} s"]
    for operator in operators:
        lines.append(_operator_line(operator))
        if len(operator.instances) > 1:
            lines.extend(
                f"    on {instance.worker_id}: {instance.records} records, {instance.rows:,} rows, {instance.seconds:.3f} s"
                for instance in operator.instances
            )
    return lines


def _operator_line(operator: OperatorStatus) -> str:
    parts = [f"{operator.rows:,} rows", format_size(operator.bytes)]
    if operator.kind == "producer":
        parts.append(f"{operator.records_done}/{operator.records_total} splits")
        parts.append(f"{operator.seconds:.3f} s")
        if operator.files_bytes:
            fetched = "read in place"
            if operator.requests:
                fetched = f"{format_size(operator.scanned_bytes)} fetched in {operator.requests} requests"
            parts.append(f"{fetched} of {format_size(operator.files_bytes)} of files")
        parts.append(f"spill {format_size(operator.spill_bytes)}")
    parts.append(f"{operator.retries} retries")
    return f"  {operator.operator} ({operator.title}): {', '.join(parts)}"
