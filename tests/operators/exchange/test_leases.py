from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from operators.errors import AttemptsExhausted, StaleLease, TooManyRecords
from operators.exchange.leases import Lease, LeaseQueue
from operators.exchange.records import Record, RecordKey


def key(number: int, input_key: str = "", slices: tuple[int, ...] = ()) -> RecordKey:
    return RecordKey("scan-0", input_key, number, slices)


def record(number: int, *, partition: int = 0, rows: int = 10, size: int = 100, input_key: str = "") -> Record[None]:
    return Record(key(number, input_key), None, partition, rows, size)


def parts_of(whole: RecordKey, rows: list[int], partition: int = 0) -> list[Record[None]]:
    keys = [RecordKey(whole.operator, whole.input_key, whole.sequence, (*whole.slices, index)) for index in range(len(rows))]
    return [Record(part, None, partition, count, count * 10) for part, count in zip(keys, rows, strict=True)]


def queue_of(*records: Record[None], max_attempts: int = 4, max_records: int = 100) -> LeaseQueue:
    queue = LeaseQueue(lease_seconds=10, max_attempts=max_attempts, max_records=max_records)
    for item in records:
        assert queue.append(item)
    return queue


def take(queue: LeaseQueue, consumer: str = "a", now: float = 0.0, partition: int | None = None) -> Lease:
    lease = queue.lease(consumer, now, partition)
    assert lease is not None
    return lease


def test_oldest_first_over_all_partitions_or_in_one() -> None:
    queue = queue_of(record(0, partition=1), record(1), record(2, partition=1), record(3))
    assert take(queue).key == key(0)
    assert take(queue, partition=1).key == key(2)
    assert queue.lease("a", 0.0, partition=1) is None
    assert [take(queue).key, take(queue).key] == [key(1), key(3)]
    assert queue.lease("a", 0.0) is None


def test_ends_when_closed_and_acked() -> None:
    queue = queue_of(record(0), record(1))
    first, second = take(queue), take(queue)
    queue.ack(first.key, first.epoch)
    queue.close()
    assert not queue.ended
    queue.ack(second.key, second.epoch)
    assert queue.ended
    statistics = queue.statistics()
    assert (statistics.records, statistics.acked, statistics.rows, statistics.bytes, statistics.queued_bytes) == (2, 2, 20, 200, 0)


def test_a_lease_that_runs_out_is_queued_again_and_fenced() -> None:
    queue = queue_of(record(0))
    first = take(queue, "a", now=0.0)
    assert first.deadline == queue.next_deadline() == 10.0
    assert queue.expire(9.9) == []
    assert queue.expire(10.0) == [first]
    assert queue.next_deadline() is None
    with pytest.raises(StaleLease):
        queue.ack(first.key, first.epoch)
    second = take(queue, "a", now=11.0)
    with pytest.raises(StaleLease, match="the lease on record scan-0//0 was lost"):
        queue.ack(first.key, first.epoch)
    with pytest.raises(StaleLease):
        queue.heartbeat(first.key, first.epoch, 11.0)
    with pytest.raises(StaleLease):
        queue.release(first.key, first.epoch, "it is late")
    queue.ack(second.key, second.epoch)
    with pytest.raises(StaleLease):
        queue.ack(second.key, second.epoch)
    assert (queue.statistics().retries, queue.statistics().acked) == (1, 1)


def test_heartbeats_extend() -> None:
    queue = queue_of(record(0))
    lease = take(queue, now=0.0)
    for now in (5.0, 10.0, 15.0):
        lease = queue.heartbeat(lease.key, lease.epoch, now)
        assert queue.expire(now) == []
    assert queue.next_deadline() == 25.0
    assert queue.expire(25.0) == [lease]


def test_a_late_heartbeat_or_ack_counts_while_the_record_was_not_queued_again() -> None:
    queue = queue_of(record(0))
    lease = take(queue, now=0.0)
    queue.heartbeat(lease.key, lease.epoch, 50.0)
    assert queue.expire(59.0) == []
    queue.ack(lease.key, lease.epoch)
    assert queue.expire(99.0) == []


def test_what_comes_back_takes_its_old_place() -> None:
    queue = queue_of(*(record(number) for number in range(4)))
    leases = [take(queue) for _ in range(3)]
    queue.release(leases[1].key, leases[1].epoch, "it slipped")
    queue.release(leases[0].key, leases[0].epoch, "it slipped")
    assert queue.peek(9) == [key(0), key(1), key(3)]
    assert queue.peek(2) == [key(0), key(1)]


def test_the_fourth_failed_attempt_is_the_last() -> None:
    queue = queue_of(record(0), record(1))
    for _ in range(3):
        lease = take(queue)
        queue.release(lease.key, lease.epoch, "it slipped")
    lease = take(queue)
    with pytest.raises(AttemptsExhausted, match="record scan-0//0 of operator scan-0 failed 4 times, the last time because it slipped"):
        queue.release(lease.key, lease.epoch, "it slipped")
    queue.check()


def test_a_lost_worker_gives_back_all_its_records_at_once() -> None:
    queue = queue_of(record(0), record(1), record(2), max_attempts=2)
    mine, other, also_mine = take(queue, "w1/a"), take(queue, "w2/a"), take(queue, "w1/b")
    assert queue.lose(lambda consumer: consumer.startswith("w1/")) == [mine, also_mine]
    assert queue.lose(lambda consumer: consumer.startswith("w1/")) == []
    assert queue.peek(9) == [key(0), key(2)]
    queue.ack(other.key, other.epoch)
    take(queue, "w3")
    with pytest.raises(AttemptsExhausted, match=r"its worker was lost \(w3\)"):
        queue.lose(lambda consumer: consumer == "w3")


def test_all_late_records_are_queued_before_a_last_attempt_is_reported() -> None:
    queue = queue_of(record(0), max_attempts=2)
    lease = take(queue)
    queue.release(lease.key, lease.epoch, "it slipped")
    queue.append(record(1))
    take(queue)
    take(queue)
    with pytest.raises(AttemptsExhausted, match="did not answer for 10 s"):
        queue.expire(10.0)
    assert queue.peek(9) == [key(0), key(1)]
    queue.check()


def test_a_commit_counts_once() -> None:
    queue = LeaseQueue()
    assert queue.commit("split-1", [record(0, input_key="split-1"), record(1, input_key="split-1")])
    assert not queue.commit("split-1", [record(0, input_key="split-1"), record(7, input_key="split-1")])
    assert queue.commit("split-2", [])
    assert not queue.commit("split-2", [record(0, input_key="split-2")])
    queue.close()
    assert not queue.commit("split-1", [])
    assert queue.statistics().records == 2


def test_an_append_counts_once_wherever_the_record_is() -> None:
    queue = queue_of(record(0), record(1))
    assert not queue.append(record(0))
    lease = take(queue)
    assert not queue.append(record(0))
    queue.ack(lease.key, lease.epoch)
    assert not queue.append(record(0))
    assert queue.slice(key(1), parts_of(key(1), [4, 6]))
    assert not queue.append(record(1))
    assert queue.statistics().rows == 20


def test_a_queue_has_a_limit_and_a_refused_commit_leaves_no_trace() -> None:
    queue = queue_of(record(0), max_records=2)
    with pytest.raises(TooManyRecords):
        queue.commit("in", [record(1, input_key="in"), record(2, input_key="in")])
    assert queue.statistics().records == 1
    assert queue.commit("in", [record(1, input_key="in")])
    with pytest.raises(TooManyRecords):
        queue.append(record(9))


def test_slices_stand_where_their_record_stood() -> None:
    queue = queue_of(record(0), record(1), record(2))
    assert queue.slice(key(1), parts_of(key(1), [3, 3, 4]))
    middle = key(1, slices=(1,))
    assert queue.slice(middle, parts_of(middle, [1, 2]))
    assert [str(each) for each in queue.peek(9)] == [f"scan-0//{n}" for n in ("0", "1.0", "1.1.0", "1.1.1", "1.2", "2")]
    lease = take(queue)
    queue.release(lease.key, lease.epoch, "it slipped")
    assert queue.statistics().rows == 30
    queue.check()


def test_only_what_is_queued_can_be_sliced_and_only_into_its_own_rows() -> None:
    queue = queue_of(record(0))
    lease = take(queue)
    assert not queue.slice(key(0), parts_of(key(0), [10]))
    assert not queue.slice(key(5), parts_of(key(5), [10]))
    queue.release(lease.key, lease.epoch, "it slipped")
    with pytest.raises(AssertionError, match="slices hold the rows"):
        queue.slice(key(0), parts_of(key(0), [4, 5]))
    assert queue.slice(key(0), parts_of(key(0), [4, 6]))
    assert not queue.slice(key(0), parts_of(key(0), [4, 6]))


def test_what_somebody_may_still_put_out_whole_is_not_sliced() -> None:
    queue = queue_of(record(0), record(1), record(2))
    late = take(queue, now=0.0)
    queue.expire(10.0)
    again = take(queue)
    assert again.key == late.key
    queue.ack(again.key, again.epoch)
    queue.reopen(key(0))
    take(queue)
    take(queue, "dead")
    queue.lose(lambda consumer: consumer == "dead")
    assert not queue.slice(key(1), parts_of(key(1), [5, 5]))
    assert not queue.slice(key(0), parts_of(key(0), [5, 5]))
    assert queue.slice(key(2), parts_of(key(2), [5, 5]))


def test_slices_inherit_failed_attempts() -> None:
    queue = queue_of(record(0), max_attempts=2)
    lease = take(queue)
    queue.release(lease.key, lease.epoch, "it is too large")
    queue.slice(key(0), parts_of(key(0), [5, 5]))
    part = take(queue)
    with pytest.raises(AttemptsExhausted):
        queue.release(part.key, part.epoch, "it is too large")


def test_an_acked_record_can_be_reopened() -> None:
    queue = queue_of(record(0), record(1))
    queue.close()
    assert not queue.reopen(key(0))
    for _ in range(2):
        lease = take(queue)
        queue.ack(lease.key, lease.epoch)
    assert queue.ended
    assert queue.reopen(key(0))
    assert not queue.ended
    assert take(queue).key == key(0)


class Life(RuleBasedStateMachine):
    """Anything in any order: the queue agrees with a model that keeps one set for each place."""

    @initialize()
    def start(self) -> None:
        self.queue = LeaseQueue(lease_seconds=10, max_attempts=1_000)
        self.now = 0.0
        self.queued: dict[RecordKey, int] = {}
        self.held: dict[RecordKey, Lease] = {}
        self.stale: list[Lease] = []
        self.acked: set[RecordKey] = set()
        self.contested: set[RecordKey] = set()
        self.partitions: dict[RecordKey, int] = {}
        self.rows: dict[RecordKey, int] = {}
        self.made = 0

    @precondition(lambda self: not self.queue.closed)
    @rule(rows=st.integers(0, 20), partition=st.integers(0, 2))
    def append(self, rows: int, partition: int) -> None:
        item = record(self.made, rows=rows, size=rows * 10, partition=partition)
        self.made += 1
        assert self.queue.append(item)
        assert not self.queue.append(item)
        self.queued[item.key] = partition
        self.partitions[item.key] = partition
        self.rows[item.key] = rows

    @rule(consumer=st.sampled_from("abc"), partition=st.sampled_from([None, 0, 1, 2]))
    def lease(self, consumer: str, partition: int | None) -> None:
        eligible = [each for each, where in self.queued.items() if partition in (None, where)]
        lease = self.queue.lease(consumer, self.now, partition)
        # The order of arrival is the order of keys here, and slices sort inside their record.
        assert (None if lease is None else lease.key) == min(eligible, default=None)
        if lease is not None:
            del self.queued[lease.key]
            self.held[lease.key] = lease

    @precondition(lambda self: self.held)
    @rule(data=st.data(), action=st.sampled_from(["ack", "release", "heartbeat"]))
    def use(self, data: st.DataObject, action: str) -> None:
        lease = self.held.pop(data.draw(st.sampled_from(sorted(self.held))))
        if action == "heartbeat":
            self.held[lease.key] = self.queue.heartbeat(lease.key, lease.epoch, self.now)
            return
        self.stale.append(lease)
        if action == "ack":
            self.queue.ack(lease.key, lease.epoch)
            self.acked.add(lease.key)
        else:
            self.queue.release(lease.key, lease.epoch, "it slipped")
            self.queued[lease.key] = self.partitions[lease.key]

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def use_stale(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.stale))
        with pytest.raises(StaleLease):
            self.queue.ack(lease.key, lease.epoch)

    @rule(seconds=st.sampled_from([0.5, 4.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        due = {lease for lease in self.held.values() if lease.deadline <= self.now}
        assert set(self.queue.expire(self.now)) == due
        self._lost(due)
        assert self.queue.next_deadline() == min((lease.deadline for lease in self.held.values()), default=None)

    @rule(dead=st.sampled_from("abc"))
    def crash(self, dead: str) -> None:
        due = {lease for lease in self.held.values() if lease.consumer == dead}
        assert set(self.queue.lose(lambda consumer: consumer == dead)) == due
        self._lost(due)

    @precondition(lambda self: self.queued)
    @rule(data=st.data(), count=st.integers(1, 3))
    def slice(self, data: st.DataObject, count: int) -> None:
        whole = data.draw(st.sampled_from(sorted(self.queued)))
        share, rest = divmod(self.rows[whole], count)
        parts = parts_of(whole, [share + rest, *[share] * (count - 1)], self.partitions[whole])
        done = self.queue.slice(whole, parts)
        assert done == (whole not in self.contested)
        if done:
            del self.queued[whole], self.rows[whole]
            for part in parts:
                self.queued[part.key] = self.partitions[part.key] = part.partition
                self.rows[part.key] = part.rows

    @precondition(lambda self: self.acked)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(sorted(self.acked)))
        assert self.queue.reopen(again)
        self.acked.remove(again)
        self.queued[again] = self.partitions[again]
        self.contested.add(again)

    @precondition(lambda self: self.made > 10)
    @rule()
    def close(self) -> None:
        self.queue.close()

    def _lost(self, leases: set[Lease]) -> None:
        for lease in leases:
            del self.held[lease.key]
            self.queued[lease.key] = self.partitions[lease.key]
            self.stale.append(lease)
            self.contested.add(lease.key)

    @invariant()
    def agrees(self) -> None:
        self.queue.check()
        assert self.queue.peek(1_000) == sorted(self.queued)
        statistics = self.queue.statistics()
        assert (statistics.leased, statistics.acked) == (len(self.held), len(self.acked))
        assert statistics.rows == sum(self.rows.values())
        assert self.queue.ended == (self.queue.closed and not self.queued and not self.held)


Life.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


class World:
    """Workers that die, dawdle, work twice and have records cut, between two queues, in virtual time."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.source = LeaseQueue(lease_seconds=5, max_attempts=10_000)
        self.sink = LeaseQueue(lease_seconds=5, max_attempts=10_000)
        self.rows = {key(number): self.chance.randrange(1, 50) for number in range(120)}
        self.now = 0.0
        self.working: list[Lease] = []
        self.delivered: list[str] = []
        self.doubled = 0
        for each, count in self.rows.items():
            self.source.append(Record(each, None, rows=count))
        self.source.close()

    def step(self) -> None:
        self.now += self.chance.random()
        self.source.expire(self.now)
        self.sink.expire(self.now)
        self.chance.choice([self.lease, self.finish, self.finish, self.crash, self.cut, self.deliver, self.deliver])()

    def lease(self) -> None:
        lease = self.source.lease(f"worker-{self.chance.randrange(4)}", self.now)
        if lease is not None:
            self.working.append(lease)

    def finish(self) -> None:
        """Nobody tells a worker that its lease has expired: it goes on, commits, and is refused at the ack. Some die before it."""
        if not self.working:
            return
        lease = self.working.pop(self.chance.randrange(len(self.working)))
        name = str(lease.key)
        output = Record(RecordKey("filter-1", name, 0), None, rows=self.rows[lease.key])
        self.doubled += not self.sink.commit(name, [output])
        if self.chance.random() < 0.7:
            with suppress(StaleLease):
                self.source.ack(lease.key, lease.epoch)

    def crash(self) -> None:
        dead = f"worker-{self.chance.randrange(4)}"
        self.source.lose(lambda consumer: consumer == dead)

    def cut(self) -> None:
        candidates = [each for each in self.source.peek(5) if self.rows[each] > 1]
        if candidates:
            whole = self.chance.choice(candidates)
            at = self.chance.randrange(1, self.rows[whole])
            parts = parts_of(whole, [at, self.rows[whole] - at])
            if self.source.slice(whole, parts):
                self.rows.update((part.key, part.rows) for part in parts)

    def deliver(self) -> None:
        lease = self.sink.lease("client", self.now)
        if lease is not None and self.chance.random() < 0.8:
            self.sink.ack(lease.key, lease.epoch)
            self.delivered.append(lease.key.input_key)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_life_with_crashes_counts_every_row_once(seed: int) -> None:
    world = World(seed)
    before = {str(each): rows for each, rows in world.rows.items()}
    for step in range(100_000):
        world.step()
        if step % 1_000 == 0:
            world.source.check()
            world.sink.check()
        if world.source.ended and world.sink.statistics().queued == world.sink.statistics().leased == 0:
            break
    assert world.source.ended
    received: Counter[str] = Counter()
    sizes = {str(each): rows for each, rows in world.rows.items()}
    for name in world.delivered:
        received[name.partition(".")[0]] += sizes[name]
    assert dict(received) == before
    assert world.source.statistics().retries > 0
    assert world.doubled > 0
