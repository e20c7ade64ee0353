"""A producer operator's instance: lease a share, run the kernel, commit its outputs, acknowledge the share; again until none is left.

The order is what makes it safe to die anywhere: outputs become visible under keys that depend on the share alone, and the share
is acknowledged after that. A share that is run again commits the same keys, which the exchange ignores.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa

from operators.batch_sizes import referenced_bytes
from operators.errors import OperatorError, StaleLease
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.heartbeats import Heartbeats
from operators.exchange.records import RecordKey
from operators.run.fragments import ExecutionContext, Output, run_share
from operators.run.whole_inputs import WholeInputs
from planner.errors import Status, VolleyError
from planner.physical import Fragment, Share

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeldShare:
    """A share on lease to this instance."""

    key: RecordKey
    epoch: int
    share: Share
    lease_seconds: float


@dataclass(frozen=True, slots=True)
class InstanceStatistics:
    """What an instance has done so far; ``seconds`` is the time it spent running its fragment, ``retries`` are shares that it gave back,
    or lost its lease on. ``spill_bytes``: the most that was seen spilled by the kernel.
    """

    records: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    scanned_bytes: int = 0
    requests: int = 0
    spill_bytes: int = 0
    retries: int = 0


class ShareSource(Protocol):
    """Where an instance gets its shares: an exchange in this process, or one on another worker."""

    def lease(self) -> HeldShare | None:
        """The next share, waiting for one if need be; None once there will be no more."""

    def heartbeat(self, held: HeldShare) -> None:
        """Extends the lease. Raises ``StaleLease`` where it was lost."""

    def ack(self, held: HeldShare, statistics: InstanceStatistics, sizes: BucketSizes | None = None) -> None:
        """The share's outputs are visible; ``sizes``: of those for a hash exchange. Raises ``StaleLease`` where the lease was lost."""

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        """The share could not be run; ``retry``: another attempt may succeed. Raises ``StaleLease`` where the lease was lost."""


Commit = Callable[[RecordKey, list[Output]], BucketSizes | None]
"""Makes a share's outputs visible; tells how much is in which bucket, where they go into a hash exchange."""
Fetch = Callable[[Share], Mapping[str, pa.Table]]
"""The rows of a share's buckets, by the names of the inputs that come in buckets; waits until they are there."""


def nothing_to_fetch(_share: Share) -> Mapping[str, pa.Table]:
    """For a fragment without inputs in buckets."""
    return {}


class ProducerInstance:
    """One running copy of a producer operator. :meth:`run` is called once, in a thread of its own."""

    def __init__(
        self,
        name: str,
        fragment: Fragment,
        source: ShareSource,
        commit: Commit,
        context: ExecutionContext,
        heartbeats: Heartbeats,
        whole: WholeInputs,
        fetch: Fetch = nothing_to_fetch,
    ) -> None:
        self.name = name
        self.statistics = InstanceStatistics()
        self._fragment = fragment
        self._source = source
        self._commit = commit
        self._context = context
        self._heartbeats = heartbeats
        self._whole = whole
        self._fetch = fetch

    def run(self) -> None:
        """Works until the source has ended or the query was cancelled; errors go back to the source with the share."""
        while not self._context.cancellation.cancelled:
            held = self._source.lease()
            if held is None:
                return
            self._consume(held)

    def _consume(self, held: HeldShare) -> None:
        try:
            with self._heartbeats.keep(held.lease_seconds / 2, lambda: self._source.heartbeat(held)):
                sizes = self._run_share(held)
            self._source.ack(held, self.statistics, sizes)
        except StaleLease:
            self._on_stale(held)
        except VolleyError as error:
            if not self._context.cancellation.cancelled:
                # What is out of reach now may be reached by the next attempt; all other errors would come again.
                self._give_back(held, error, retry=error.status is Status.UNAVAILABLE)
        except Exception as error:
            log.exception("%s failed on %s", self.name, held.key)
            cause = OperatorError(f"internal error of type {type(error).__name__} while running {held.key}")
            self._give_back(held, cause, retry=True)

    def _give_back(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        try:
            self._source.release(held, error, retry=retry)
            self._count_retry()
        except StaleLease:
            self._on_stale(held)

    def _on_stale(self, held: HeldShare) -> None:
        # Whoever has the share now answers for it, with its rows or with an error: ours do not count.
        log.info("%s lost its lease on %s; somebody else has it", self.name, held.key)
        self._count_retry()

    def _count_retry(self) -> None:
        self.statistics = replace(self.statistics, retries=self.statistics.retries + 1)

    def _run_share(self, held: HeldShare) -> BucketSizes | None:
        arrived = self._fetch(held.share)
        started = time.perf_counter()
        outputs, reports, spilled = run_share(self._fragment, held.share, self._whole, self._context, arrived)
        seconds = time.perf_counter() - started
        sizes = self._commit(held.key, outputs)
        done = self.statistics
        self.statistics = replace(
            done,
            records=done.records + 1,
            rows=done.rows + sum(output.batch.num_rows for output in outputs),
            bytes=done.bytes + sum(referenced_bytes(output.batch) for output in outputs),
            seconds=done.seconds + seconds,
            scanned_bytes=done.scanned_bytes + sum(report.fetched_bytes for report in reports),
            requests=done.requests + sum(report.requests for report in reports),
            spill_bytes=max(done.spill_bytes, spilled),
        )
        return sizes
