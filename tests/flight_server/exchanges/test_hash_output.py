"""The query handler knows where the outputs in a hash exchange are: whom to ask, when all is there, and whom to do without."""

from __future__ import annotations

import threading

import pytest

from flight_server.errors import WorkerLost
from flight_server.exchanges import hash_output
from flight_server.exchanges.hash_output import HashOutput
from operators.errors import OperatorError, StaleLease
from operators.exchange.bucket_places import BucketSizes
from planner.physical import ExchangeInput, PlannedExchange
from tests.flight_server.cluster.fake_flight import SCHEMA, SOON_SECONDS

SIZES = BucketSizes((1, 2), (10, 20))


class Owner:
    """Two shares of worker ``home`` and the others."""

    def __init__(self) -> None:
        self.completed = 0
        self.excluded: list[str] = []
        self.output = HashOutput(PlannedExchange(0, "hash", (), 2), "q.exchange-0", "home", self._complete, self.excluded.append)
        self.output.expect(2, SCHEMA, {worker: f"grpc://{worker}" for worker in ("home", "a", "b")})

    def _complete(self) -> None:
        self.completed += 1


@pytest.fixture(name="at_once")
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_output, "LOCATE_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
def test_who_asks_is_told_where_outputs_are_once_all_are_there() -> None:
    owner = Owner()
    owner.output.made(1, "a", SIZES)
    assert not owner.output.locate("b/q/0", []).complete
    assert (owner.completed, owner.output.done(), owner.output.complete()) == (0, 1, False)
    owner.output.made(0, "home", SIZES)
    found = owner.output.locate("b/q/0", [])
    assert found.complete
    assert [(outputs.worker_id, outputs.uri, outputs.shares) for outputs in found.outputs] == [
        ("home", "grpc://home", [0]),
        ("a", "grpc://a", [1]),
    ]
    assert (owner.completed, owner.output.complete()) == (1, True)


def test_who_asks_too_early_waits() -> None:
    owner = Owner()
    owner.output.made(0, "home", SIZES)
    found: list[bool] = []
    asking = threading.Thread(target=lambda: found.append(owner.output.locate("b/q/0", []).complete))
    asking.start()
    owner.output.made(1, "a", SIZES)
    asking.join(SOON_SECONDS)
    assert found == [True]


@pytest.mark.usefixtures("at_once")
def test_what_is_lost_is_made_again_and_then_it_is_complete_again() -> None:
    owner = Owner()
    owner.output.made(0, "home", SIZES)
    owner.output.made(1, "a", SIZES)
    assert owner.output.gone("a") == [1]
    assert not owner.output.locate("b/q/0", []).complete
    owner.output.made(1, "b", SIZES)
    assert owner.output.locate("home/q/0", []).complete
    assert owner.completed == 2
    with pytest.raises(WorkerLost, match="a/q/0"):
        owner.output.locate("a/q/0", [])


def test_nothing_is_made_again_for_nobody() -> None:
    owner = Owner()
    owner.output.made(0, "home", SIZES)
    owner.output.made(1, "a", SIZES)
    assert owner.output.release()
    assert not owner.output.release()
    assert owner.output.gone("a") == []


def test_who_comes_too_late_is_told_so_and_cannot_blame_anybody() -> None:
    owner = Owner()
    owner.output.release()
    with pytest.raises(StaleLease):
        owner.output.locate("b/q/0", ["a"])
    assert owner.excluded == []


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("unreachable", "excluded"), [("a", "a"), ("home", "b")], ids=["another one", "the query's own"])
def test_of_two_that_cannot_reach_each_other_one_is_excluded_and_never_the_query_s_own(unreachable: str, excluded: str) -> None:
    owner = Owner()
    owner.output.locate("b/q/0", [unreachable])
    assert owner.excluded == [excluded]


def test_who_waits_is_told_how_the_query_failed() -> None:
    owner = Owner()
    failed: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(OperatorError) as told:
            owner.output.locate("b/q/0", [])
        failed.append(told.value)

    asking = threading.Thread(target=ask)
    asking.start()
    error = OperatorError("division by zero")
    owner.output.fail(error)
    asking.join(SOON_SECONDS)
    owner.output.fail(OperatorError("later"))
    ask()
    assert failed == [error, error]


def test_what_it_says_of_itself() -> None:
    owner = Owner()
    owner.output.made(0, "home", SIZES)
    owner.output.made(1, "a", BucketSizes((0, 1), (0, 5)))
    held = owner.output.statistics()
    assert (held.records, held.queued, held.acked, held.rows, held.bytes, held.queued_bytes) == (2, 2, 0, 4, 35, 35)
    owner.output.release()
    held = owner.output.statistics()
    assert (held.records, held.queued, held.acked, held.rows, held.bytes, held.queued_bytes) == (2, 0, 2, 4, 35, 0)


@pytest.mark.parametrize(("may_be_cut", "pieces"), [(False, [1, 1]), (True, [1, 2])])
def test_a_bucket_can_be_cut_into_as_many_parts_as_shares_have_rows_in_it(may_be_cut: bool, pieces: list[int]) -> None:
    owner = Owner()
    owner.output.made(0, "home", SIZES)
    owner.output.made(1, "a", BucketSizes((0, 1), (0, 5)))
    found = owner.output.bytes_of(ExchangeInput("in_3", 0, (), bucketed=True, may_be_cut=may_be_cut))
    assert (found.name, list(found.bytes), list(found.pieces)) == ("in_3", [10, 25], pieces)
