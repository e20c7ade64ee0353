"""Running a fragment's kernel program: over one split, or over everything that its inputs hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from operators.batch_sizes import empty_batch
from operators.cancellation import Cancellation
from operators.kernel.kernel import Kernel
from operators.kernel.kernel_run import KernelRun
from operators.kernel.relations import Relation, empty_relation
from operators.scan.scans import ScanReport, StartedScan
from operators.storage import Storage
from planner.physical import Fragment, ScanInput, Split

RECORD_ROWS = 100_000
"""Records between operators have about this many rows (a call costs 0.2 ms, loopback moves about 2 GB/s)."""


@dataclass(frozen=True, slots=True)
class ExecutionContext:
    """What a running fragment may use: the query that it belongs to, how it is stopped, the kernels and the storage.

    ``serial_kernel`` has one thread, for fragments that are ``serial``.
    """

    query_id: str
    kernel: Kernel
    serial_kernel: Kernel
    storage: Storage
    cancellation: Cancellation = field(default_factory=Cancellation)


@dataclass(frozen=True, slots=True)
class Output:
    """The payload of a fragment's output record; ``last``: no record of the same input follows.

    Every input has at least one output, an empty one where the kernel found no rows: so that its end is seen.
    """

    batch: pa.RecordBatch
    last: bool


@dataclass(frozen=True, slots=True)
class FragmentRun:
    """A running fragment: batches as the kernel makes them, and what its scans asked of the storage."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    reports: Sequence[ScanReport]


@contextmanager
def run_fragment(
    fragment: Fragment,
    splits: Mapping[str, Sequence[Split]],
    arrived: Mapping[str, Relation],
    context: ExecutionContext,
    batch_rows: int = RECORD_ROWS,
) -> Iterator[FragmentRun]:
    """Runs ``fragment`` with ``splits`` for its scan inputs and ``arrived`` for those that come through exchanges.

    Raises what the kernel and the storage raise, and the cancellation's error when it was stopped.
    """
    with ExitStack() as stack:
        relations: dict[str, Relation] = dict(arrived)
        reports: list[ScanReport] = []
        scans = [scan for scan in fragment.inputs if isinstance(scan, ScanInput)]
        # Where everything was pruned there is nothing to read.
        relations |= {scan.name: empty_relation(scan.columns) for scan in scans if not splits[scan.name]}
        # All begin to fetch before the first is waited for.
        started = {scan.name: StartedScan(scan, splits[scan.name], context.storage) for scan in scans if splits[scan.name]}
        for scan in started.values():
            stack.callback(scan.close)
        for name, scan in started.items():
            prepared = stack.enter_context(scan.prepared(context.cancellation))
            relations[name] = prepared.relation
            reports.append(prepared.report)
        kernel = context.serial_kernel if fragment.serial else context.kernel
        run = stack.enter_context(kernel.run(fragment.sql, relations, batch_rows=batch_rows))
        stack.enter_context(context.cancellation.on_cancel(run.interrupt))
        yield FragmentRun(run.schema, _checked(run, context.cancellation), reports)


def _checked(run: KernelRun, cancellation: Cancellation) -> Iterator[pa.RecordBatch]:
    try:
        for batch in run:
            cancellation.check()
            yield batch
    except Exception:
        # Whoever stopped the run knows better why than the kernel does.
        cancellation.check()
        raise
    cancellation.check()


def run_split(fragment: Fragment, split: Split, context: ExecutionContext) -> tuple[list[Output], Sequence[ScanReport]]:
    """Runs a parallel fragment over one split; returns all its outputs, at least one."""
    (scan,) = fragment.inputs
    with run_fragment(fragment, {scan.name: [split]}, {}, context) as run:
        batches = list(run.batches) or [empty_batch(run.schema)]
        reports = run.reports
    last = len(batches) - 1
    return [Output(batch, index == last) for index, batch in enumerate(batches)], reports
