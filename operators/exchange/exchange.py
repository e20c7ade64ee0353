"""An exchange: a lease queue with its payloads, shared by threads, that consumers wait on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic

from operators.errors import AttemptsExhausted
from operators.exchange.leases import LEASE_SECONDS, MAX_ATTEMPTS, Lease, LeaseQueue, LeaseStatistics
from operators.exchange.records import Payload, Record, RecordKey
from planner.errors import VolleyError


@dataclass(frozen=True, slots=True)
class Held(Generic[Payload]):
    """A record on lease: what to do, and the lease to acknowledge it with."""

    lease: Lease
    record: Record[Payload]

    @property
    def key(self) -> RecordKey:
        """The record's identity."""
        return self.record.key

    @property
    def payload(self) -> Payload:
        """The record's contents."""
        return self.record.payload


class Exchange(Generic[Payload]):
    """Records that producers make visible and consumers lease. Thread-safe.

    A payload is kept until its record is acked. Waiting consumers wake when a record becomes visible, when a lease expires, and when
    the exchange is closed or fails; after :meth:`fail` every call raises its error, and nothing is handed out any more.

    ``failed`` is told the error once, whatever made the exchange fail, in the thread that did and while the exchange is locked: it
    may fail other exchanges, but must not wait for anybody.
    """

    def __init__(
        self,
        *,
        lease_seconds: float = LEASE_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
        failed: Callable[[VolleyError], object] = lambda _error: None,
    ) -> None:
        self.lease_seconds = lease_seconds
        self._clock = clock
        self._failed = failed
        self._queue = LeaseQueue(lease_seconds, max_attempts)
        self._payloads: dict[RecordKey, Record[Payload]] = {}
        self._error: VolleyError | None = None
        self._changed = threading.Condition()  # re-entrant: an event may fail the exchange from inside

    @property
    def ended(self) -> bool:
        """Closed, and every record acked."""
        with self._changed:
            return self._queue.ended

    @property
    def closed(self) -> bool:
        """No more records will come."""
        with self._changed:
            return self._queue.closed

    def append(self, record: Record[Payload]) -> bool:
        """Makes one record visible; False if one of that key was there before."""
        with self._changed:
            self._check()
            return self._added(self._queue.append(record), [record])

    def commit(self, input_key: str, records: Sequence[Record[Payload]]) -> bool:
        """Makes all outputs of one input visible together; False, and no change, if that input was committed before."""
        with self._changed:
            self._check()
            return self._added(self._queue.commit(input_key, records), records)

    def close(self) -> None:
        """No more records will come."""
        with self._changed:
            self._queue.close()
            self._changed.notify_all()

    def fail(self, error: VolleyError) -> None:
        """Has everybody who uses or waits on the exchange get ``error``, and drops the payloads. Only the first error counts."""
        with self._changed:
            if self._error is None:
                self._error = error
                self._payloads.clear()
                self._changed.notify_all()
                self._failed(error)

    def lease(
        self, consumer: str, *, seconds: float | None = None, cancelled: Callable[[], bool] = lambda: False, partition: int | None = None
    ) -> Held[Payload] | None:
        """Leases the oldest visible record, waiting up to ``seconds`` (None: without end) for one.

        None when there is none in that time, when ``cancelled`` (seen only when something wakes the wait), or when the exchange has
        :attr:`ended`. Raises the error of :meth:`fail`, and ``AttemptsExhausted`` when a record failed too often.
        """
        until = None if seconds is None else self._clock() + seconds
        with self._changed:
            while True:
                self._check()
                self._expire()
                lease = self._queue.lease(consumer, self._clock(), partition)
                if lease is not None:
                    return Held(lease, self._payloads[lease.key])
                if self._queue.ended or cancelled() or (until is not None and self._clock() >= until):
                    return None
                self._changed.wait(self._wait_seconds(until))

    def lease_all(self, consumer: str) -> list[Held[Payload]]:
        """Waits until the exchange is closed, then leases every queued record. Raises the error of :meth:`fail`."""
        held = []
        with self._changed:
            while not self._queue.closed:
                self._check()
                self._changed.wait()
            self._check()
            while (lease := self._queue.lease(consumer, self._clock())) is not None:
                held.append(Held(lease, self._payloads[lease.key]))
        return held

    def wait_ended(self, seconds: float) -> bool:
        """Waits up to ``seconds`` until the exchange has :attr:`ended`; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queue.ended or self._error is not None, seconds) and self._queue.ended

    def heartbeat(self, key: RecordKey, epoch: int) -> Lease:
        """Extends a lease. Raises ``StaleLease``."""
        with self._changed:
            self._check()
            return self._queue.heartbeat(key, epoch, self._clock())

    def ack(self, key: RecordKey, epoch: int) -> None:
        """The record is done with: its payload is dropped. Raises ``StaleLease``."""
        with self._changed:
            self._check()
            self._queue.ack(key, epoch)
            self._forget(key)

    def ack_kept(self, key: RecordKey, epoch: int) -> None:
        """As :meth:`ack`, but keeps the payload, so that the record can be reopened. Raises ``StaleLease``."""
        with self._changed:
            self._check()
            self._queue.ack(key, epoch)
            self._wake_if_ended()

    def release(self, key: RecordKey, epoch: int, cause: VolleyError, *, retry: bool) -> None:
        """The attempt failed because of ``cause``: the record is queued again, or, without ``retry``, the exchange fails with it.

        Raises ``StaleLease``. The fourth failed attempt fails the exchange with ``AttemptsExhausted``.
        """
        with self._changed:
            self._check()
            if not retry:
                # Not from somebody who lost the lease: whoever has it now may succeed.
                self._queue.holds(key, epoch)
                self.fail(cause)
                return
            self._guarded(lambda: self._queue.release(key, epoch, str(cause)))
            self._changed.notify_all()

    def lose(self, gone: Callable[[str], bool]) -> None:
        """Queues again what the consumers that are ``gone`` had on lease.

        Never raises: whoever tells of a loss is not who works here. A record's last attempt fails the exchange.
        """
        with self._changed:
            if self._error is None:
                with suppress(AttemptsExhausted):
                    self._guarded(lambda: self._queue.lose(gone))
                self._changed.notify_all()

    def reopen(self, key: RecordKey) -> bool:
        """Queues a record again that was acked with :meth:`ack_kept`; False if it was not, or if the exchange has failed."""
        with self._changed:
            if self._error is not None:
                return False
            reopened = self._queue.reopen(key)
            self._changed.notify_all()
            return reopened

    def slice(self, key: RecordKey, slices: Sequence[Record[Payload]]) -> bool:
        """Replaces a queued record by its slices; False, and no change, where :meth:`LeaseQueue.slice` says so."""
        with self._changed:
            self._check()
            if not self._queue.slice(key, slices):
                return False
            del self._payloads[key]
            return self._added(True, slices)

    def peek(self, count: int) -> list[Payload]:
        """The payloads of up to ``count`` queued records, oldest first. Leases nothing."""
        with self._changed:
            return [self._payloads[key].payload for key in self._queue.peek(count) if key in self._payloads]

    def statistics(self) -> LeaseStatistics:
        """What the exchange holds, and what became of it. One that failed holds nothing any more."""
        with self._changed:
            statistics = self._queue.statistics()
            return statistics if self._error is None else replace(statistics, queued=0, leased=0, queued_bytes=0)

    def _added(self, new: bool, records: Sequence[Record[Payload]]) -> bool:
        if new:
            self._payloads.update((record.key, record) for record in records)
            self._changed.notify_all()
        return new

    def _forget(self, key: RecordKey) -> None:
        del self._payloads[key]
        self._wake_if_ended()

    def _wake_if_ended(self) -> None:
        if self._queue.ended:
            self._changed.notify_all()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _expire(self) -> None:
        self._guarded(lambda: self._queue.expire(self._clock()))

    def _guarded(self, event: Callable[[], object]) -> None:
        """Runs an event that may be a record's last failure, which is then everybody's."""
        try:
            event()
        except AttemptsExhausted as error:
            self.fail(error)
            raise

    def _wait_seconds(self, until: float | None) -> float | None:
        deadlines = [when for when in (until, self._queue.next_deadline()) if when is not None]
        return max(0.0, min(deadlines) - self._clock()) if deadlines else None
