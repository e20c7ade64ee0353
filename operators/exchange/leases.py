"""The lease queue: who works on which record, until when, and what becomes of it. A pure state machine, without clock or thread.

A record is *queued*, *leased* or *acked*; every event moves it along one of these arrows::

    append, commit ──► queued ──lease──► leased ──ack──► acked
                         ▲                 │
                         └── expire, release, lost consumer   (an attempt failed; after the fourth the queue fails)

Each lease of a record has a new epoch. What comes with an older epoch is refused, so that a consumer which was thought dead
cannot acknowledge what is somebody else's by now. The time of every event is passed in, in seconds from any origin.

A queued record can be cut into slices, which are records in its place, as long as nobody may still put out what was made of it whole.
Of payloads the queue knows nothing, and keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from operators.errors import AttemptsExhausted, StaleLease, TooManyRecords
from operators.exchange.records import Record, RecordKey

LEASE_SECONDS = 10.0
IN_PROCESS_LEASE_SECONDS = 365 * 86_400.0
"""Leases to a consumer in the exchange's own process need no heartbeat: neither outlives the other."""
MAX_ATTEMPTS = 4
MAX_RECORDS = 1_000_000
"""Records that one queue takes in its life."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A record's loan to ``consumer``: good until ``deadline``, and only for the ``epoch`` that it names."""

    key: RecordKey
    consumer: str
    epoch: int
    deadline: float


@dataclass(frozen=True, slots=True)
class LeaseStatistics:
    """What a queue holds. ``rows`` and ``bytes`` are of all its records, acked ones included; ``retries`` are failed attempts."""

    records: int = 0
    queued: int = 0
    leased: int = 0
    acked: int = 0
    retries: int = 0
    rows: int = 0
    bytes: int = 0
    queued_bytes: int = 0


@dataclass(slots=True)
class _Entry:
    key: RecordKey
    partition: int
    rows: int
    bytes: int
    order: tuple[int, tuple[int, ...]]
    epoch: int = 0
    failures: int = 0
    contested: bool = False
    """Somebody who lost a lease on it, other than by a release, may still put out what was made of the whole."""
    lease: Lease | None = None


@dataclass(slots=True)
class LeaseQueue:
    """Records in the order in which they became visible, each given out to one consumer at a time. Not thread-safe."""

    lease_seconds: float = LEASE_SECONDS
    max_attempts: int = MAX_ATTEMPTS
    max_records: int = MAX_RECORDS
    _queued: dict[RecordKey, _Entry] = field(default_factory=dict)
    _leased: dict[RecordKey, _Entry] = field(default_factory=dict)
    _acked: dict[RecordKey, _Entry] = field(default_factory=dict)
    _sliced: set[RecordKey] = field(default_factory=set)
    _committed: set[str] = field(default_factory=set)
    _closed: bool = False
    _appended: int = 0
    _retries: int = 0
    _rows: int = 0
    _bytes: int = 0
    _queued_bytes: int = 0

    @property
    def closed(self) -> bool:
        """No more records will come."""
        return self._closed

    @property
    def ended(self) -> bool:
        """No more records will come, and all that came were acked."""
        return self._closed and not self._queued and not self._leased

    def append(self, record: Record[Any]) -> bool:
        """Makes one record visible. False, and nothing changes, if one of that key was appended before.

        Raises ``TooManyRecords``.
        """
        assert not self._closed, f"{record.key} was appended to a closed queue"
        if self._knows(record.key):
            return False
        self._admit(1)
        self._queue(_entry(record, (self._appended, ())))
        self._appended += 1
        self._rows += record.rows
        self._bytes += record.bytes
        return True

    def commit(self, input_key: str, records: Sequence[Record[Any]]) -> bool:
        """Makes all outputs of one input visible together. False, and nothing changes, if that input was committed before.

        Raises ``TooManyRecords``; then none is visible.
        """
        assert all(record.key.input_key == input_key for record in records), "outputs are keyed by their input"
        if input_key in self._committed:
            return False
        self._admit(len(records))
        self._committed.add(input_key)
        for record in records:
            new = self.append(record)
            assert new, f"{record.key} was visible before its input was committed"
        return True

    def close(self) -> None:
        """No more records will come."""
        self._closed = True

    def lease(self, consumer: str, now: float, partition: int | None = None) -> Lease | None:
        """Lends the oldest queued record (of ``partition``, if given); None if there is none just now."""
        entry = next((e for e in self._queued.values() if partition is None or e.partition == partition), None)
        if entry is None:
            return None
        self._unqueue(entry)
        entry.epoch += 1
        entry.lease = Lease(entry.key, consumer, entry.epoch, now + self.lease_seconds)
        self._leased[entry.key] = entry
        return entry.lease

    def holds(self, key: RecordKey, epoch: int) -> None:
        """Raises ``StaleLease`` unless that is the record's lease."""
        self._held(key, epoch)

    def heartbeat(self, key: RecordKey, epoch: int, now: float) -> Lease:
        """Extends a lease to a full term from ``now``. Raises ``StaleLease`` if it is not the record's lease any more.

        A late one counts as long as nobody has queued the record again.
        """
        entry = self._held(key, epoch)
        assert entry.lease is not None
        entry.lease = replace(entry.lease, deadline=now + self.lease_seconds)
        return entry.lease

    def ack(self, key: RecordKey, epoch: int) -> None:
        """The record is done with. Raises ``StaleLease`` if the lease is not the record's any more."""
        entry = self._held(key, epoch)
        del self._leased[key]
        entry.lease = None
        self._acked[key] = entry

    def release(self, key: RecordKey, epoch: int, cause: str) -> None:
        """The attempt failed: the record is queued again, in its old place.

        Raises ``StaleLease``, and ``AttemptsExhausted`` once ``max_attempts`` have failed.
        """
        self._fail([(self._held(key, epoch), cause)])

    def expire(self, now: float) -> list[Lease]:
        """Takes back the leases whose deadline has come; returns them. Raises ``AttemptsExhausted`` as :meth:`release` does."""
        late = [entry.lease for entry in self._leased.values() if entry.lease is not None and entry.lease.deadline <= now]
        self._lose(late, [f"{lease.consumer} did not answer for {self.lease_seconds:g} s" for lease in late])
        return late

    def lose(self, gone: Callable[[str], bool]) -> list[Lease]:
        """Takes back all leases of the consumers that are ``gone``; returns them. Raises ``AttemptsExhausted`` as :meth:`release` does."""
        lost = [entry.lease for entry in self._leased.values() if entry.lease is not None and gone(entry.lease.consumer)]
        self._lose(lost, [f"its worker was lost ({lease.consumer})" for lease in lost])
        return lost

    def reopen(self, key: RecordKey) -> bool:
        """Queues an acked record again, since what its consumer made of it was lost. False if it is not acked (any more)."""
        entry = self._acked.pop(key, None)
        if entry is None:
            return False
        entry.contested = True
        self._queue(entry)
        self._retries += 1
        self._in_order()
        return True

    def slice(self, key: RecordKey, slices: Sequence[Record[Any]]) -> bool:
        """Replaces a queued record by its slices, in its place and in their order. They hold its rows, no more and no fewer.

        False, and nothing changes, if it is not queued, or if whoever lost a lease on it may still put out what was made of the whole.
        Raises ``TooManyRecords``.
        """
        entry = self._queued.get(key)
        if entry is None or entry.contested:
            return False
        assert sum(part.rows for part in slices) == entry.rows, "slices hold the rows of their record"
        assert [part.key for part in slices] == [replace(key, slices=(*key.slices, index)) for index in range(len(slices))]
        assert all(part.partition == entry.partition for part in slices), "slices stay in their record's partition"
        self._admit(len(slices))
        self._unqueue(entry)
        self._sliced.add(key)
        place, path = entry.order
        for index, part in enumerate(slices):
            self._queue(replace(_entry(part, (place, (*path, index))), failures=entry.failures))
        self._bytes += sum(part.bytes for part in slices) - entry.bytes
        self._in_order()
        return True

    def next_deadline(self) -> float | None:
        """When the first lease expires, or None."""
        return min((entry.lease.deadline for entry in self._leased.values() if entry.lease is not None), default=None)

    def peek(self, count: int) -> list[RecordKey]:
        """Up to ``count`` queued records, oldest first."""
        return list(islice(self._queued, count))

    def statistics(self) -> LeaseStatistics:
        """What the queue holds."""
        return LeaseStatistics(
            records=len(self._queued) + len(self._leased) + len(self._acked),
            queued=len(self._queued),
            leased=len(self._leased),
            acked=len(self._acked),
            retries=self._retries,
            rows=self._rows,
            bytes=self._bytes,
            queued_bytes=self._queued_bytes,
        )

    def check(self) -> None:
        """Asserts that every record is in one place and counted once. Walks all of them: for tests."""
        places = (self._queued, self._leased, self._acked)
        entries = [entry for place in places for entry in place.values()]
        assert len({*self._queued, *self._leased, *self._acked}) == len(entries), "a record in two places"
        assert all(entry.key == key for place in places for key, entry in place.items())
        assert all((entry.lease is not None) == (entry.key in self._leased) for entry in entries)
        assert [entry.order for entry in self._queued.values()] == sorted(entry.order for entry in self._queued.values())
        assert self._sliced.isdisjoint(entry.key for entry in entries), "a record beside its slices"
        assert sum(entry.rows for entry in entries) == self._rows
        assert sum(entry.bytes for entry in entries) == self._bytes
        assert sum(entry.bytes for entry in self._queued.values()) == self._queued_bytes

    def _knows(self, key: RecordKey) -> bool:
        return key in self._queued or key in self._leased or key in self._acked or key in self._sliced

    def _admit(self, count: int) -> None:
        if len(self._queued) + len(self._leased) + len(self._acked) + count > self.max_records:
            raise TooManyRecords(
                f"the query needs more than {self.max_records:,} records at one place",
                remedy="Use fewer, larger files, or filter the query more.",
            )

    def _queue(self, entry: _Entry) -> None:
        self._queued[entry.key] = entry
        self._queued_bytes += entry.bytes

    def _unqueue(self, entry: _Entry) -> None:
        del self._queued[entry.key]
        self._queued_bytes -= entry.bytes

    def _held(self, key: RecordKey, epoch: int) -> _Entry:
        entry = self._leased.get(key)
        if entry is None or entry.epoch != epoch:
            raise StaleLease(f"the lease on record {key} was lost: somebody else has it by now")
        return entry

    def _lose(self, leases: Sequence[Lease], causes: Sequence[str]) -> None:
        entries = [self._leased[lease.key] for lease in leases]
        for entry in entries:
            entry.contested = True
        self._fail(list(zip(entries, causes, strict=True)))

    def _fail(self, attempts: Sequence[tuple[_Entry, str]]) -> None:
        """Queues all the records again, each in its old place, before it says that one of them had its last attempt."""
        for entry, _ in attempts:
            del self._leased[entry.key]
            entry.lease = None
            entry.failures += 1
            self._retries += 1
            self._queue(entry)
        if attempts:
            self._in_order()
        for entry, cause in attempts:
            if entry.failures >= self.max_attempts:
                raise AttemptsExhausted(
                    f"record {entry.key} of operator {entry.key.operator} failed {entry.failures} times, the last time because {cause}"
                )

    def _in_order(self) -> None:
        self._queued = dict(sorted(self._queued.items(), key=lambda item: item[1].order))


def _entry(record: Record[Any], order: tuple[int, tuple[int, ...]]) -> _Entry:
    return _Entry(record.key, record.partition, record.rows, record.bytes, order)
