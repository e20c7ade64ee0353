"""Which fragment may start when: each once, after all that it reads, the last one last; and how long hash exchanges are needed."""

from __future__ import annotations

import random

import pytest

from flight_server.queries.fragment_order import ExchangeComplete, FragmentOrder, HashesInUse
from planner.physical import ExchangeInput, Fragment


def fragment(number: int, *reads: int) -> Fragment:
    """A fragment that puts out into the exchange of its own number."""
    return Fragment(number, "SELECT 1", tuple(ExchangeInput(f"in_{exchange}", exchange, ()) for exchange in reads), number)


def test_a_plan_of_one_fragment_begins_with_it() -> None:
    only = fragment(0)
    assert FragmentOrder([only]).begin() == [only]


def test_fragments_that_wait_for_nothing_start_together_and_the_others_after_all_that_they_read() -> None:
    first, second, third, last = fragment(0), fragment(1), fragment(2, 0), fragment(3, 1, 2)
    order = FragmentOrder([first, second, third, last])
    assert order.begin() == [first, second]
    assert order.on(ExchangeComplete(1)) == []
    assert order.on(ExchangeComplete(0)) == [third]
    assert order.on(ExchangeComplete(2)) == [last]


def test_an_exchange_that_two_read_starts_both_and_one_told_twice_starts_nothing_again() -> None:
    first, second, third, last = fragment(0), fragment(1, 0), fragment(2, 0), fragment(3, 1, 2)
    order = FragmentOrder([first, second, third, last])
    order.begin()
    assert order.on(ExchangeComplete(0)) == [second, third]
    assert order.on(ExchangeComplete(0)) == []


@pytest.mark.parametrize("seed", range(20))
def test_in_any_graph_and_any_order_of_completion_all_start_once_after_what_they_read(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(2, 12)
    reads: list[list[int]] = [sorted(chance.sample(range(number), chance.randint(0, min(3, number)))) for number in range(count)]
    # All that nobody reads feeds the last.
    read = {exchange for inputs in reads for exchange in inputs}
    reads[-1] = sorted({*reads[-1], *(number for number in range(count - 1) if number not in read)})
    fragments = [fragment(number, *inputs) for number, inputs in enumerate(reads)]
    order = FragmentOrder(fragments)
    running, complete, started = order.begin(), set[int](), list[int]()
    while running:
        for each in running:
            assert complete.issuperset(reads[each.id])
        started += [each.id for each in running if each.id not in started]
        done = running.pop(chance.randrange(len(running)))
        complete.add(done.output)
        running += order.on(ExchangeComplete(done.output))
    assert sorted(started) == list(range(count))
    assert started[-1] == count - 1


def test_a_hash_exchange_is_needed_until_all_who_read_it_have_answered() -> None:
    fragments = [fragment(0), fragment(1), fragment(2, 0, 1), fragment(3, 1), fragment(4, 2, 3)]
    in_use = HashesInUse(fragments, {0, 1})
    assert in_use.on(ExchangeComplete(0)) == []
    assert in_use.on(ExchangeComplete(1)) == []
    assert in_use.on(ExchangeComplete(2)) == [0]
    assert in_use.on(ExchangeComplete(3)) == [1]
    assert in_use.on(ExchangeComplete(3)) == []


def test_what_a_hash_exchange_was_made_of_is_needed_as_long_as_it_is() -> None:
    """With a worker some of it may be lost, and has to be made again."""
    fragments = [fragment(0), fragment(1, 0), fragment(2, 1), fragment(3, 2)]
    in_use = HashesInUse(fragments, {0, 1})
    assert in_use.on(ExchangeComplete(0)) == []
    assert in_use.on(ExchangeComplete(1)) == []
    assert in_use.on(ExchangeComplete(2)) == [1, 0]


def test_what_the_last_fragment_reads_is_needed_to_the_end() -> None:
    in_use = HashesInUse([fragment(0), fragment(1, 0)], {0})
    assert in_use.on(ExchangeComplete(0)) == []
