"""Results of which only what is looked at is made: how far the writer goes, and what has it go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import fsspec
import pytest

from operators.errors import OperatorError
from operators.results.materialize import ResultWriter
from operators.results.reading import END_FILE, Result, ResultPlace
from operators.results.results import BEGINNING, ResultStore
from tests.e2e.waiting import eventually
from tests.operators.results.result_samples import PATIENCE, SCHEMA, SmallStore, all_numbers, in_thread, new_id, numbers, rows


class Look:
    """A writer that wants to write ``count`` rows, ten to a row group and three groups to a file, ``ahead`` groups before its readers."""

    def __init__(self, small: SmallStore, count: int, ahead: int) -> None:
        self.small = small
        self.writer: ResultWriter = small.store.create(new_id(), SCHEMA, "SELECT n, t FROM numbers", "ada", ahead)
        self.result: Result = self.writer.result
        self.ended: Future[None] = in_thread(lambda: self._write(count))

    def _write(self, count: int) -> None:
        for start in range(0, count, 7):
            self.writer.append(rows(start, min(count, start + 7)))
        self.writer.finish(lambda: "{}")

    def waits_at(self, groups: int) -> bool:
        """Whether the writer comes to wait with so many row groups made."""
        return eventually(lambda: self.result.held and self.made() == groups, PATIENCE, f"it waits at {groups} row groups")

    def made(self) -> int:
        return sum(map(len, self.result.row_groups))

    def group(self, place: tuple[int, int, int]) -> list[int]:
        return numbers(self.result.follow(place, whole=False))


@pytest.fixture(name="look")
def _look(small: SmallStore) -> Iterator[Look]:
    look = Look(small, 1_000, ahead=2)
    yield look
    look.writer.abort(OperatorError("the test is over"))
    assert look.ended.exception(PATIENCE) is not None


def test_a_writer_waits_when_it_is_ahead_and_goes_on_when_somebody_reads(look: Look) -> None:
    assert look.waits_at(2)
    assert look.group((0, 0, 0)) == list(range(10))
    assert look.waits_at(3)
    assert look.group((0, 2, 5)) == list(range(25, 30))
    assert look.waits_at(5)
    assert not look.result.closed


def test_row_groups_of_a_look_begin_small_and_grow_to_the_size_of_all_others(tmp_path: Path) -> None:
    store = ResultStore(fsspec.filesystem("file"), str(tmp_path), rows_per_group=100_000)
    sizes = {}
    for ahead in (None, 1):
        writer = store.create(new_id(), SCHEMA, "SELECT n, t FROM numbers", "ada", ahead)
        writer.release()
        for start in range(0, 350_000, 70_000):
            writer.append(rows(start, start + 70_000))
        writer.finish(lambda: "{}")
        sizes[ahead] = [size for file in writer.result.row_groups for size in file]
        assert all_numbers(writer.result) == list(range(350_000))
    store.close()
    assert sizes == {None: [100_000, 100_000, 100_000, 50_000], 1: [4_096, 16_384, 65_536, 100_000, 100_000, 63_984]}


def test_reading_again_what_was_read_makes_nothing(look: Look) -> None:
    assert look.waits_at(2)
    assert look.group((0, 1, 0)) == list(range(10, 20))
    for _ in range(3):
        look.group((0, 0, 0))
    assert look.group((0, 2, 0)) == list(range(20, 30))
    assert look.waits_at(5)


def test_nothing_is_stored_before_a_file_is_full(look: Look) -> None:
    assert look.waits_at(2)
    assert look.small.files() == []


def test_who_waits_for_a_later_row_group_gets_it_and_not_the_rest(look: Look) -> None:
    assert look.waits_at(2)
    assert look.group((4, 1, 3)) == list(range(133, 140)), "file 4 begins with row 120"
    assert look.waits_at(16)


def test_who_waits_for_the_end_has_everything_made(small: SmallStore) -> None:
    look = Look(small, 95, ahead=1)
    assert look.waits_at(1)
    (read,) = look.result.follow((END_FILE, 0, 0))
    assert (read.batch.num_rows, read.next) == (0, None)
    assert look.ended.result(PATIENCE) is None
    assert (look.result.rows, look.result.closed) == (95, True)
    assert next(look.result.follow((END_FILE, 0, 0))).batch.num_rows == 0, "and at once when all is there"


@pytest.mark.parametrize("ahead", [0, 1, 3, 100])
def test_who_reads_everything_gets_everything(small: SmallStore, ahead: int) -> None:
    look = Look(small, 95, ahead)
    assert numbers(look.result.follow(BEGINNING)) == list(range(95))
    assert look.ended.result(PATIENCE) is None
    assert [len(file) for file in look.result.row_groups] == [3, 3, 3, 1]


@pytest.mark.parametrize("ahead", [0, 1])
def test_page_by_page_each_page_says_where_the_next_one_is(small: SmallStore, ahead: int) -> None:
    look = Look(small, 35, ahead)
    place: ResultPlace | None = BEGINNING
    found: list[int] = []
    while place is not None:
        for read in look.result.follow(place, whole=False):
            found += read.batch.column(0).to_pylist()
            place = read.next
    assert found == list(range(35))
    assert look.ended.result(PATIENCE) is None


def test_a_result_that_is_not_longer_than_what_may_be_ahead_is_whole_without_a_reader(small: SmallStore) -> None:
    look = Look(small, 20, ahead=2)
    assert look.ended.result(PATIENCE) is None
    assert (look.result.rows, look.result.closed) == (20, True)


def test_a_reader_that_is_gone_is_waited_for_no_more(look: Look) -> None:
    gone = threading.Event()
    waiting = in_thread(lambda: list(look.result.follow((END_FILE, 0, 0), cancelled=lambda: gone.is_set() or look.result.rows >= 500)))
    assert waiting.result(PATIENCE) == []
    assert eventually(lambda: look.result.held, PATIENCE, "it waits again")
    assert look.made() < 100


def test_a_writer_that_waits_is_woken_when_it_is_given_up(small: SmallStore) -> None:
    look = Look(small, 1_000, ahead=1)
    assert look.waits_at(1)
    look.writer.abort(OperatorError("killed"))
    with pytest.raises(OperatorError, match="killed"):
        look.ended.result(PATIENCE)
    assert small.files() == []
    assert small.store.get(look.result.query_id) is None
    assert small.store.statistics().writing == 0


def test_a_writer_that_is_released_waits_for_nobody(small: SmallStore) -> None:
    look = Look(small, 95, ahead=1)
    assert look.waits_at(1)
    look.writer.release()
    assert look.ended.result(PATIENCE) is None
    assert look.result.rows == 95
