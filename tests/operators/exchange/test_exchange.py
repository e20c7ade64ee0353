from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest

from operators.errors import AttemptsExhausted, OperatorError, StaleLease
from operators.exchange.exchange import Exchange, Held
from operators.exchange.records import Record, RecordKey
from planner.errors import VolleyError

PATIENCE = 20.0
"""Seconds after which a test gives up on a thread; none waits for it when all is well."""

Found = TypeVar("Found")


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Load:
    """A payload that can be watched going away."""

    def __init__(self, number: int) -> None:
        self.number = number


def record(number: int, input_key: str = "", rows: int = 1) -> Record[Load]:
    return Record(RecordKey("scan-0", input_key, number), Load(number), rows=rows, bytes=rows * 10)


def exchange_of(*numbers: int, clock: Callable[[], float] | None = None, lease_seconds: float = 10.0) -> Exchange[Load]:
    exchange: Exchange[Load] = Exchange(lease_seconds=lease_seconds, clock=clock or Clock())
    for number in numbers:
        exchange.append(record(number))
    return exchange


def take(exchange: Exchange[Load], consumer: str = "a") -> Held[Load]:
    held = exchange.lease(consumer, seconds=0)
    assert held is not None
    return held


def started(work: Callable[[], Found]) -> Future[Found]:
    """Runs ``work`` in a thread of its own, which is under way when this returns."""
    running = threading.Event()
    pool = ThreadPoolExecutor(1)

    def run() -> Found:
        running.set()
        return work()

    future = pool.submit(run)
    pool.shutdown(wait=False)
    assert running.wait(PATIENCE)
    return future


def waiting_for(exchange: Exchange[Load], consumer: str, stop: Callable[[], bool] = lambda: False) -> Future[Held[Load] | None]:
    """A consumer in a thread of its own, which waits for a record when this returns."""
    asleep = threading.Event()

    def cancelled() -> bool:
        # Asked with the exchange locked, just before the wait gives the lock back: whatever the test does next finds it waiting.
        asleep.set()
        return stop()

    future = started(lambda: exchange.lease(consumer, cancelled=cancelled))
    assert asleep.wait(PATIENCE)
    return future


def test_records_come_in_order_with_their_payloads() -> None:
    exchange = exchange_of(1, 2)
    assert not exchange.append(record(1))
    assert [take(exchange).payload.number, take(exchange).payload.number] == [1, 2]
    assert exchange.lease("a", seconds=0) is None


def test_a_payload_goes_when_its_record_is_acked() -> None:
    exchange = exchange_of(1)
    held = take(exchange)
    watched = weakref.ref(held.payload)
    exchange.ack(held.key, held.lease.epoch)
    del held
    gc.collect()
    assert watched() is None


def test_a_payload_stays_where_the_record_may_be_reopened() -> None:
    exchange = exchange_of(1)
    held = take(exchange)
    exchange.ack_kept(held.key, held.lease.epoch)
    assert exchange.reopen(held.key)
    assert take(exchange).payload is held.payload
    assert not exchange.reopen(held.key)


def test_a_waiting_consumer_gets_what_is_appended() -> None:
    exchange = exchange_of()
    waiting = waiting_for(exchange, "a")
    exchange.append(record(7))
    held = waiting.result(PATIENCE)
    assert held is not None
    assert held.payload.number == 7


def test_a_waiting_consumer_gets_what_another_one_failed_on() -> None:
    exchange = exchange_of(1)
    first = take(exchange, "a")
    exchange.close()
    waiting = waiting_for(exchange, "b")
    exchange.release(first.key, first.lease.epoch, OperatorError("it slipped"), retry=True)
    again = waiting.result(PATIENCE)
    assert again is not None
    assert (again.key, again.lease.consumer) == (first.key, "b")


def test_a_waiting_consumer_gets_what_a_silent_one_had_without_being_woken() -> None:
    exchange: Exchange[Load] = Exchange(lease_seconds=0.05)
    exchange.append(record(1))
    silent = take(exchange, "silent")
    held = exchange.lease("b", seconds=PATIENCE)
    assert held is not None
    assert held.key == silent.key
    with pytest.raises(StaleLease):
        exchange.ack(silent.key, silent.lease.epoch)


def test_a_waiting_consumer_gets_what_a_lost_worker_had() -> None:
    exchange = exchange_of(1, 2)
    take(exchange, "w1/a")
    take(exchange, "w2/a")
    waiting = waiting_for(exchange, "b")
    exchange.lose(lambda consumer: consumer.startswith("w1/"))
    held = waiting.result(PATIENCE)
    assert held is not None
    assert held.payload.number == 1


def test_heartbeats_keep_a_lease() -> None:
    clock = Clock()
    exchange = exchange_of(1, clock=clock)
    held = take(exchange)
    for _ in range(5):
        clock.now += 9
        exchange.heartbeat(held.key, held.lease.epoch)
        assert exchange.lease("b", seconds=0) is None
    clock.now += 10
    assert take(exchange, "b").key == held.key
    with pytest.raises(StaleLease):
        exchange.heartbeat(held.key, held.lease.epoch)


def test_the_end_wakes_everybody_once_all_is_acked() -> None:
    exchange = exchange_of(1)
    held = take(exchange)
    waiting = [waiting_for(exchange, "b") for _ in range(3)]
    exchange.close()
    assert not exchange.ended
    exchange.ack(held.key, held.lease.epoch)
    assert [each.result(PATIENCE) for each in waiting] == [None, None, None]
    assert exchange.ended


def test_closing_an_empty_exchange_ends_it() -> None:
    exchange = exchange_of()
    waiting = waiting_for(exchange, "a")
    exchange.close()
    assert waiting.result(PATIENCE) is None
    assert exchange.closed


def test_a_failure_comes_to_everybody_and_drops_the_payloads() -> None:
    exchange = exchange_of(1)
    held = take(exchange)
    watched = weakref.ref(held.payload)
    one, all_of_them = waiting_for(exchange, "b"), started(lambda: exchange.lease_all("c"))
    exchange.fail(OperatorError("the disk is gone"))
    exchange.fail(OperatorError("and so is the network"))
    with pytest.raises(OperatorError, match="the disk is gone"):
        one.result(PATIENCE)
    with pytest.raises(OperatorError, match="the disk is gone"):
        all_of_them.result(PATIENCE)
    with pytest.raises(OperatorError, match="the disk is gone"):
        exchange.ack(held.key, held.lease.epoch)
    with pytest.raises(OperatorError, match="the disk is gone"):
        exchange.append(record(2))
    assert exchange.peek(9) == []
    del held
    gc.collect()
    assert watched() is None


def test_an_error_that_no_retry_helps_fails_the_exchange_unless_it_comes_late() -> None:
    clock = Clock()
    exchange = exchange_of(1, clock=clock)
    late = take(exchange, "late")
    clock.now += 10
    held = take(exchange, "b")
    with pytest.raises(StaleLease):
        exchange.release(late.key, late.lease.epoch, OperatorError("my connection went away"), retry=False)
    exchange.release(held.key, held.lease.epoch, OperatorError("division by zero"), retry=False)
    with pytest.raises(OperatorError, match="division by zero"):
        exchange.lease("c")


def test_the_last_attempt_fails_the_exchange() -> None:
    exchange = exchange_of(1)
    waiting: Future[Held[Load] | None] | None = None
    for attempt in range(4):
        held = take(exchange)
        if attempt == 3:
            waiting = waiting_for(exchange, "b")
            with pytest.raises(AttemptsExhausted):
                exchange.release(held.key, held.lease.epoch, OperatorError("it slipped"), retry=True)
        else:
            exchange.release(held.key, held.lease.epoch, OperatorError("it slipped"), retry=True)
    assert waiting is not None
    with pytest.raises(AttemptsExhausted, match="record scan-0//1 of operator scan-0 failed 4 times, the last time because it slipped"):
        waiting.result(PATIENCE)


def test_a_loss_that_is_a_last_attempt_comes_to_consumers_not_to_who_tells_of_it() -> None:
    exchange = exchange_of(1, 2)
    acked = take(exchange)
    exchange.ack_kept(acked.key, acked.lease.epoch)
    for _ in range(4):
        take(exchange, "w1/a")
        exchange.lose(lambda consumer: consumer.startswith("w1/"))
    exchange.lose(lambda consumer: True)
    assert not exchange.reopen(acked.key)
    with pytest.raises(AttemptsExhausted, match=r"failed 4 times, the last time because its worker was lost \(w1/a\)"):
        exchange.lease("b")


def test_peeking_leases_nothing() -> None:
    exchange = exchange_of(1, 2, 3)
    take(exchange)
    assert [load.number for load in exchange.peek(1)] == [2]
    assert [load.number for load in exchange.peek(9)] == [2, 3]
    assert exchange.statistics().queued == 2


def test_a_commit_is_visible_whole_and_once() -> None:
    exchange = exchange_of()
    assert exchange.commit("split-1", [record(0, "split-1"), record(1, "split-1")])
    assert not exchange.commit("split-1", [record(5, "split-1")])
    assert [load.number for load in exchange.peek(9)] == [0, 1]


def test_slices_replace_their_record() -> None:
    exchange = exchange_of()
    exchange.append(record(1, rows=10))
    whole = RecordKey("scan-0", "", 1)
    slices = [Record(RecordKey("scan-0", "", 1, (index,)), Load(10 + index), rows=5) for index in range(2)]
    assert exchange.slice(whole, slices)
    assert not exchange.slice(whole, slices)
    assert [take(exchange).payload.number, take(exchange).payload.number] == [10, 11]


def test_a_cancelled_wait_ends_when_something_wakes_it() -> None:
    exchange = exchange_of(1)
    take(exchange)
    cancelled = threading.Event()
    waiting = waiting_for(exchange, "a", cancelled.is_set)
    cancelled.set()
    exchange.close()
    assert waiting.result(PATIENCE) is None
    assert not exchange.ended


def test_a_failed_exchange_hands_out_nothing_and_tells_once_why() -> None:
    told: list[VolleyError] = []
    exchange: Exchange[Load] = Exchange(failed=told.append)
    exchange.append(record(1))
    gone, again = OperatorError("the disk is gone"), OperatorError("and so is the network")
    exchange.fail(gone)
    exchange.fail(again)
    assert told == [gone]
    with pytest.raises(OperatorError, match="the disk is gone"):
        exchange.lease("a", seconds=0)


def test_a_last_attempt_that_is_lost_tells_that_the_exchange_failed() -> None:
    told: list[VolleyError] = []
    exchange: Exchange[Load] = Exchange(max_attempts=1, failed=told.append)
    exchange.append(record(1))
    take(exchange, "w1/a")
    exchange.lose(lambda consumer: consumer.startswith("w1/"))
    assert [type(error) for error in told] == [AttemptsExhausted]


def test_all_are_leased_at_the_end() -> None:
    exchange = exchange_of(1, 2)
    pool = ThreadPoolExecutor(1)
    waiting = pool.submit(exchange.lease_all, "a")
    exchange.append(record(3))
    exchange.close()
    assert [held.payload.number for held in waiting.result(PATIENCE)] == [1, 2, 3]
    pool.shutdown()


@pytest.mark.parametrize("seed", range(2))
def test_many_threads_that_fail_at_random_count_every_record_once(seed: int) -> None:
    """Consumers that fall silent with a record on lease, give it back, or die: each record's output is committed once."""
    source: Exchange[Load] = Exchange(lease_seconds=0.02, max_attempts=10_000)
    sink: Exchange[Load] = Exchange(max_attempts=10_000)
    numbers = range(300)

    def consume(consumer: str) -> None:
        chance = random.Random(f"{seed} {consumer}")
        while (held := source.lease(consumer)) is not None:
            fate = chance.random()
            try:
                if fate < 0.1:
                    continue  # silent: the lease expires
                if fate < 0.2:
                    source.release(held.key, held.lease.epoch, OperatorError("it slipped"), retry=True)
                    continue
                if fate < 0.25:
                    source.lose(lambda each: each == consumer)
                name = str(held.key)
                sink.commit(name, [record(held.payload.number, name)])
                source.ack(held.key, held.lease.epoch)
            except StaleLease:
                continue

    with ThreadPoolExecutor(6) as pool:
        consumers = [pool.submit(consume, f"worker-{number}") for number in range(5)]
        for number in numbers:
            source.append(record(number))
        source.close()
        for each in consumers:
            each.result(PATIENCE)
    assert source.ended
    assert sorted(load.number for load in sink.peek(1_000)) == list(numbers)
    assert source.statistics().retries > 0


def test_errors_that_consumers_get_are_for_people() -> None:
    exchange = exchange_of(1)
    exchange.fail(OperatorError("the disk is gone", remedy="Use another one."))
    with pytest.raises(VolleyError) as raised:
        exchange.lease("a")
    assert str(raised.value) == "the disk is gone\nUse another one."
