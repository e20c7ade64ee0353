"""Running a fragment's kernel program: over one share, or over everything that its inputs hold."""

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
from operators.run.whole_inputs import WholeInputs
from operators.scan.scans import ScanReport, StartedScan
from operators.storage import Storage
from planner.physical import Fragment, ScanInput, Share

RECORD_ROWS = 100_000
"""Records between operators have about this many rows (a call costs 0.2 ms, loopback moves about 2 GB/s)."""

NOTHING: Mapping[str, pa.Table] = {}


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


@dataclass(slots=True)
class SpillSeen:
    """The most that the kernel had spilled, of all its runs, when it was looked at."""

    most_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FragmentRun:
    """A running fragment: batches as the kernel makes them, what its scans asked of the storage, and what the kernel spilled."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    reports: Sequence[ScanReport]
    spill: SpillSeen = field(default_factory=SpillSeen)


@contextmanager
def run_fragment(
    fragment: Fragment,
    share: Share,
    whole: WholeInputs,
    context: ExecutionContext,
    arrived: Mapping[str, pa.Table] = NOTHING,
    batch_rows: int = RECORD_ROWS,
) -> Iterator[FragmentRun]:
    """Runs ``fragment`` over a share: of the inputs that it names the share's part, all others from ``whole``.

    ``arrived``: what the share has of inputs that come in buckets.

    Raises what the kernel and the storage raise, and the cancellation's error when it was stopped.
    """
    parts = {part.name: part for part in share.inputs}
    with ExitStack() as stack:
        relations: dict[str, Relation] = {**whole.tables, **arrived}
        reports: list[ScanReport] = []
        started: list[tuple[ScanInput, StartedScan, bool]] = []
        # All begin to fetch before the first is waited for.
        for scan in fragment.inputs:
            if not isinstance(scan, ScanInput):
                continue
            part = parts.get(scan.name)
            if not (scan.splits if part is None else part.splits):
                # Where everything was pruned there is nothing to read.
                relations[scan.name] = empty_relation(scan.columns)
            elif part is None:
                started.append((scan, *whole.start(scan)))
            else:
                divided = StartedScan(scan, part.splits, context.storage, part.predicate)
                stack.callback(divided.close)
                started.append((scan, divided, True))
        for scan, begun, counted in started:
            try:
                prepared = stack.enter_context(begun.prepared(context.cancellation))
            except BaseException:
                if scan.name not in parts:
                    whole.discard(scan)
                raise
            relations[scan.name] = prepared.relation
            if counted:
                reports.append(prepared.report)
        kernel = context.serial_kernel if fragment.serial else context.kernel
        run = stack.enter_context(kernel.run(fragment.sql, relations, batch_rows=batch_rows, time_zone=fragment.time_zone))
        stack.enter_context(context.cancellation.on_cancel(run.interrupt))
        spill = SpillSeen()
        yield FragmentRun(run.schema, _checked(run, context.cancellation, kernel, spill), reports, spill)


def _checked(run: KernelRun, cancellation: Cancellation, kernel: Kernel, spill: SpillSeen) -> Iterator[pa.RecordBatch]:
    first = True
    try:
        for batch in run:
            cancellation.check()
            if first:  # what sorts and groups has all its rows now, and gives them back from here on
                spill.most_bytes, first = kernel.spilled_bytes(), False
            yield batch
    except Exception:
        # Whoever stopped the run knows better why than the kernel does.
        cancellation.check()
        raise
    cancellation.check()


def run_share(
    fragment: Fragment, share: Share, whole: WholeInputs, context: ExecutionContext, arrived: Mapping[str, pa.Table] = NOTHING
) -> tuple[list[Output], Sequence[ScanReport], int]:
    """Runs a parallel fragment over one share; returns all its outputs, at least one, and the spill that was seen."""
    with run_fragment(fragment, share, whole, context, arrived) as run:
        batches = list(run.batches) or [empty_batch(run.schema)]
        reports, spilled = run.reports, run.spill.most_bytes
    last = len(batches) - 1
    return [Output(batch, index == last) for index, batch in enumerate(batches)], reports, spilled
