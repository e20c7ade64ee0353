"""EXPLAIN ANALYZE: the plan's text, and under it what each operator did, on each worker, and how alike its shares were.

Spill is told for the run as a whole, and for each instance as far as it looked: a kernel knows what lies in its temporary directory, not
whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from flight_server.exchanges.names import producer_name
from flight_server.protocol.messages import FilterStatus, InstanceStatus, OperatorStatus, ShareSpread
from flight_server.settings.quantities import format_size
from operators.kernel.kernel import Kernel
from planner.explain import plan_json
from planner.physical import Fragment, PhysicalPlan, ScanInput

SPILL_LOOK_SECONDS = 0.1


class RowDrop:
    """The sink of a query that is run to be measured: keeps no row."""

    def append(self, batch: pa.RecordBatch) -> None:
        """Drops the batch."""

    def release(self) -> None:
        """It never waits."""


class SpillWatch:
    """The most that was seen spilled at once by ``kernels``, for whoever: to be looked at every ``SPILL_LOOK_SECONDS`` of a run."""

    def __init__(self, *kernels: Kernel) -> None:
        self._kernels = kernels
        self.most_bytes = 0

    def look(self) -> None:
        """Takes what is spilled now."""
        self.most_bytes = max(self.most_bytes, sum(kernel.statistics().spill_bytes for kernel in self._kernels))


def analyze_lines(plan: PhysicalPlan, operators: Sequence[OperatorStatus], seconds: float, spill_bytes: int) -> list[str]:
    """The plan, then a line for each operator with its rows, bytes, time, reads and retries, and its instances below it.

    Asked for JSON, one document: the plan's, and beside it ``run`` with the operators as ``query.status`` has them.
    ``spill_bytes`` is what a :class:`SpillWatch` has seen.
    """
    if plan.analyze == "json":
        run = {"seconds": seconds, "spill_bytes": spill_bytes, "operators": msgspec.to_builtins(operators)}
        return [plan_json(plan, run=run)]
    lines = [*plan.text.splitlines(), "", f"ran in {seconds:.3f} s, {_spill(operators, spill_bytes)}"]
    records = {producer_name(fragment): _records(fragment) for fragment in plan.fragments}
    for operator in operators:
        lines.append(_operator_line(operator, records.get(operator.operator, "splits")))
        lines.extend(map(_filter_line, operator.filters))
        if operator.spread is not None:
            lines.append(f"    {_spread(operator.spread)}")
        if len(operator.instances) > 1:
            lines.extend(f"    {_instance(instance)}" for instance in operator.instances)
    return lines


def _records(fragment: Fragment) -> str:
    """What a fragment counts; nothing for one that runs once over what others put out."""
    if fragment.parallel:
        return "splits" if fragment.by_splits else "shares"
    return "splits" if any(isinstance(arm, ScanInput) for arm in fragment.inputs) or not fragment.inputs else ""


def _spill(operators: Sequence[OperatorStatus], here: int) -> str:
    """Where most was spilled: here, where it was watched all the time, or at a worker whose instances looked."""
    seen = ((instance.spill_bytes, f"worker {instance.worker_id}") for operator in operators for instance in operator.instances)
    most, where = max([(here, "this worker"), *seen], key=lambda item: item[0])
    return f"spill: up to {format_size(most)} seen, of all queries on {where}" if most else "spill: none seen"


def _spread(spread: ShareSpread) -> str:
    """How much larger than others the largest share was."""
    told = [
        _against(f"{spread.seconds_most:.3f} s", spread.seconds_most, spread.seconds_median),
        _against(f"{spread.rows_most:,} rows", spread.rows_most, spread.rows_median),
        _against(format_size(spread.bytes_most), spread.bytes_most, spread.bytes_median),
    ]
    return f"largest of {spread.shares} shares: {', '.join(told)}"


def _against(most: str, largest: float, middle: float) -> str:
    """Against the median, which may be nothing."""
    return f"{most} ({largest / middle:.1f} times the median)" if middle > 0 else f"{most} (the median has none)" if largest else most


def _instance(instance: InstanceStatus) -> str:
    parts = [f"{instance.records} shares", f"{instance.rows:,} rows", format_size(instance.bytes), f"{instance.seconds:.3f} s"]
    if instance.spill_bytes:
        parts.append(f"spill {format_size(instance.spill_bytes)}")
    if instance.retries:
        parts.append(f"{instance.retries} given back")
    return f"on {instance.worker_id}: {', '.join(parts)}"


def _operator_line(operator: OperatorStatus, records: str) -> str:
    parts = [f"{operator.rows:,} rows", format_size(operator.bytes)]
    if operator.estimated_bytes is not None:
        parts[-1] += f" ({format_size(operator.estimated_bytes)} estimated)"
    if operator.kind == "producer":
        if records:
            parts.append(f"{operator.records_done}/{operator.records_total} {records}")
        parts.append(f"{operator.seconds:.3f} s")
        if operator.files_bytes:
            fetched = "read in place"
            if operator.requests:
                fetched = f"{format_size(operator.scanned_bytes)} fetched in {operator.requests} requests"
            parts.append(f"{fetched} of {format_size(operator.files_bytes)} of files")
    parts.append(f"{operator.retries} retries")
    return f"  {operator.operator} ({operator.title}): {', '.join(parts)}"


def _filter_line(spared: FilterStatus) -> str:
    head = f"    runtime filter on {spared.column} from {spared.source}"
    if not spared.used:
        return f"{head}: its keys did not come in time, or not at all; everything was read"
    keys = "more keys than are kept, by their range" if spared.keys is None else f"{spared.keys:,} keys"
    parts = f"{spared.files:,} files, {spared.row_groups:,} row groups, {spared.rows:,} rows, {format_size(spared.bytes)}"
    return f"{head}: {keys} spared {parts}"
