from __future__ import annotations

import itertools
import random
import threading

import pyarrow as pa
import pytest

from operators.exchange.exchange import Exchange
from operators.exchange.records import Record, RecordKey
from operators.run.fragments import Output
from operators.run.gathering import Gathering, output_records

SHARES = [RecordKey("fragment-0", "lineitem", number) for number in range(3)]


def outputs(*texts: str) -> list[Output]:
    """One output for each text, the last one marked."""
    return [Output(pa.record_batch({"t": [text]}), index == len(texts) - 1) for index, text in enumerate(texts)]


def records(share: RecordKey, *texts: str) -> list[Record[Output]]:
    return output_records("fragment-0", share, outputs(*texts))


class Gathered:
    """A gathering of three shares, and what came out of it."""

    def __init__(self, shares: list[RecordKey] = SHARES) -> None:
        self.exchange: Exchange[Output] = Exchange()
        self.completions = 0
        self.gathering = Gathering("fragment-0", self.exchange, shares, self._completed)

    def _completed(self) -> None:
        self.completions += 1

    def texts(self) -> list[str]:
        """The rows of all visible records, by share and sequence."""
        held = list(iter(lambda: self.exchange.lease("test", seconds=0), None))
        held.sort(key=lambda item: item.key)
        return [item.payload.batch.column(0)[0].as_py() for item in held]


def test_outputs_are_keyed_by_their_share_and_place_and_sized() -> None:
    first, second = records(SHARES[1], "a", "bcd")
    assert [str(first.key), str(second.key)] == ["fragment-0/fragment-0/lineitem/1/0", "fragment-0/fragment-0/lineitem/1/1"]
    assert (first.rows, first.payload.last, second.payload.last) == (1, False, True)
    assert second.bytes == first.bytes + 2


def test_the_exchange_ends_after_the_last_share_whatever_their_order() -> None:
    gathered = Gathered()
    for number in (2, 0, 1):
        assert not gathered.exchange.closed
        assert gathered.completions == 0
        gathered.gathering.commit(SHARES[number], outputs(f"{number}a", f"{number}b"))
    assert gathered.exchange.closed
    assert gathered.completions == 1
    assert gathered.texts() == ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_nothing_expected_is_complete_at_once() -> None:
    gathered = Gathered([])
    assert (gathered.exchange.closed, gathered.completions) == (True, 1)


def test_what_is_missing_is_told_in_order() -> None:
    gathered = Gathered()
    gathered.gathering.commit(SHARES[1], outputs("x"))
    assert gathered.gathering.missing() == [SHARES[0], SHARES[2]]


def test_a_share_that_is_run_twice_counts_once() -> None:
    gathered = Gathered()
    for _ in range(2):
        gathered.gathering.commit(SHARES[0], outputs("once"))
    for _ in range(2):
        for record in records(SHARES[0], "once"):
            gathered.gathering.receive(record, "worker-1")
    assert gathered.texts() == ["once"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_share_counts_when_all_its_parts_are_here(order: tuple[int, ...]) -> None:
    gathered = Gathered()
    parts = records(SHARES[0], "a", "b", "c")
    for count, index in enumerate(order):
        assert gathered.exchange.statistics().records == 0, f"visible after {count} parts"
        gathered.gathering.receive(parts[index], "worker-1")
    assert gathered.texts() == ["a", "b", "c"]


def test_a_part_that_is_sent_again_counts_once() -> None:
    gathered = Gathered()
    first, second = records(SHARES[0], "a", "b")
    for part in (first, first, first, second, second):
        gathered.gathering.receive(part, "worker-1")
    assert gathered.texts() == ["a", "b"]


def test_parts_of_two_workers_are_never_put_together() -> None:
    gathered = Gathered()
    slow = records(SHARES[0], "a", "b")
    fast = records(SHARES[0], "b", "a")
    gathered.gathering.receive(slow[0], "slow")
    gathered.gathering.receive(fast[0], "fast")
    gathered.gathering.receive(slow[1], "slow")
    gathered.gathering.receive(fast[1], "fast")
    assert gathered.texts() == ["a", "b"]


def test_runs_of_different_lengths_do_not_mix() -> None:
    gathered = Gathered()
    long, short = records(SHARES[0], "a", "b", "c"), records(SHARES[0], "abc")
    gathered.gathering.receive(long[0], "slow")
    gathered.gathering.receive(long[1], "slow")
    gathered.gathering.receive(short[0], "fast")
    gathered.gathering.receive(long[2], "slow")
    assert gathered.texts() == ["abc"]


def test_what_a_lost_worker_sent_in_part_is_dropped_and_what_it_sent_whole_stays() -> None:
    gathered = Gathered()
    gathered.gathering.receive(records(SHARES[0], "whole")[0], "lost")
    gathered.gathering.receive(records(SHARES[1], "a", "b")[0], "lost")
    gathered.gathering.forget("lost")
    gathered.gathering.receive(records(SHARES[1], "a", "b")[1], "lost")
    assert gathered.gathering.missing() == SHARES[1:]
    gathered.gathering.commit(SHARES[1], outputs("ab"))
    assert gathered.texts() == ["whole", "ab"]


@pytest.mark.parametrize("seed", range(5))
def test_many_senders_at_once_count_every_share_once(seed: int) -> None:
    shares = [RecordKey("fragment-0", "t", number) for number in range(60)]
    gathered = Gathered(shares)

    def send(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        own = shares.copy()
        chance.shuffle(own)
        for share in own:
            # Each worker cuts the share's rows in its own way.
            texts = [f"{share.sequence}" for _ in range(chance.randint(1, 4))]
            if number == 0:
                gathered.gathering.commit(share, outputs(*texts))
                continue
            parts = records(share, *texts)
            parts += chance.choices(parts, k=2)
            chance.shuffle(parts)
            for part in parts:
                gathered.gathering.receive(part, f"worker-{number}")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gathered.completions == 1
    held = list(iter(lambda: gathered.exchange.lease("test", seconds=0), None))
    by_share = {key: [item for item in held if item.key.input_key == str(key)] for key in shares}
    assert sum(map(len, by_share.values())) == len(held)
    for runs in by_share.values():
        assert sorted(item.key.sequence for item in runs) == list(range(len(runs)))
        assert [item.payload.last for item in sorted(runs, key=lambda item: item.key)] == [False] * (len(runs) - 1) + [True]
