from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pyarrow as pa
import pytest

from operators.batch_sizes import fitting_rows, referenced_bytes
from operators.errors import CursorOutOfRange, OperatorError
from operators.results.reading import MAX_SLICE_BYTES, MAX_SLICE_ROWS
from operators.results.results import BEGINNING, ReadBatch, Result, ResultPlace, ResultStore
from tests.operators.results.result_samples import (
    PATIENCE,
    SCHEMA,
    SmallStore,
    all_numbers,
    begun,
    finished,
    in_thread,
    numbers,
    rows,
)

EVERY_PLACE = [(number // 30, number // 10 % 3, number % 10) for number in range(65)]


def test_rows_come_in_order_whatever_batches_they_came_in(small: SmallStore) -> None:
    for batch_rows in (1, 3, 10, 11, 29, 64):
        result = finished(small.store, 65, batch_rows)
        assert result.row_groups == [[10, 10, 10], [10, 10, 10], [5]]
        assert result.rows == 65
        assert all_numbers(result) == list(range(65))


@pytest.mark.parametrize(("number", "place"), list(enumerate(EVERY_PLACE)))
def test_reading_goes_on_from_any_place(number: int, place: tuple[int, int, int], tmp_path_factory: pytest.TempPathFactory) -> None:
    result = shared_result(tmp_path_factory)
    reads = list(result.follow(place))
    assert reads[0].cursor == place
    assert reads[-1].next is None
    assert numbers(reads) == list(range(number, 65))


_shared: list[tuple[ResultStore, Result]] = []


def shared_result(factory: pytest.TempPathFactory) -> Result:
    if not _shared:
        small = SmallStore("file", str(factory.mktemp("shared")))
        _shared.append((small.store, finished(small.store, 65)))
    return _shared[0][1]


def test_one_row_group_at_a_time(small: SmallStore) -> None:
    result = finished(small.store, 65)
    place: ResultPlace | None = BEGINNING
    seen: list[list[int]] = []
    while place is not None:
        (read,) = result.follow(place, whole=False)
        seen.append(numbers([read]))
        place = read.next
    assert [len(each) for each in seen] == [10, 10, 10, 10, 10, 10, 5]
    assert [number for each in seen for number in each] == list(range(65))
    (rest,) = result.follow((1, 2, 4), whole=False)
    assert (numbers([rest]), rest.next) == (list(range(54, 60)), (2, 0, 0))


def test_the_end_of_a_group_is_the_start_of_the_next(small: SmallStore) -> None:
    result = finished(small.store, 65)
    for place, first in [((0, 0, 10), 10), ((0, 2, 10), 30), ((0, 3, 0), 30), ((1, 2, 10), 60)]:
        assert numbers(result.follow(place)) == list(range(first, 65))


@pytest.mark.parametrize(
    ("count", "end"), [(65, (2, 0, 5)), (60, (1, 2, 10)), (60, (1, 3, 0)), (60, (2, 0, 0)), (0, (0, 0, 0)), (30, (1, 0, 0))]
)
def test_the_end_of_a_result_is_one_empty_batch(small: SmallStore, count: int, end: tuple[int, int, int]) -> None:
    result = finished(small.store, count)
    (read,) = result.follow(end)
    assert (read.batch.num_rows, read.batch.schema, read.cursor, read.next) == (0, SCHEMA, end, None)


@pytest.mark.parametrize(
    "place",
    [(2, 0, 6), (2, 1, 1), (0, 4, 0), (0, 3, 1), (0, 0, 11), (3, 0, 1), (2, 2, 0), (9, 9, 9), (-1, 0, 0), (0, 0, -1), (1 << 62, 0, 0)],
)
def test_a_cursor_that_is_nowhere_is_refused(small: SmallStore, place: tuple[int, int, int]) -> None:
    result = finished(small.store, 65)
    with pytest.raises(CursorOutOfRange, match=str(place[0])):
        list(result.follow(place))


@pytest.mark.parametrize("limit", [0, 1, 9, 10, 11, 30, 64, 65, 66, 1_000])
def test_a_limit_counts_rows_and_says_where_to_go_on(small: SmallStore, limit: int) -> None:
    result = finished(small.store, 65)
    reads = list(result.follow(BEGINNING, limit=limit))
    assert numbers(reads) == list(range(min(limit, 65)))
    following = reads[-1].next
    assert (following is None) == (limit >= 65)
    if following is not None:
        assert numbers(result.follow(following)) == list(range(limit, 65))


def test_a_negative_limit_is_refused(small: SmallStore) -> None:
    with pytest.raises(CursorOutOfRange):
        list(finished(small.store, 5).follow(BEGINNING, limit=-1))


def test_groups_can_be_read_as_soon_as_they_are_closed(small: SmallStore) -> None:
    writer = begun(small.store)
    assert not writer.result.closed
    writer.append(rows(0, 25))
    assert writer.result.row_groups == [[10, 10]]
    (first,) = writer.result.follow(BEGINNING, whole=False)
    assert (numbers([first]), first.next) == (list(range(10)), (0, 1, 0))


def test_the_newest_group_is_whole_only_when_it_is_known_what_follows(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 10))
    reading = in_thread(lambda: list(writer.result.follow(BEGINNING)))
    writer.append(rows(10, 20))
    following = in_thread(lambda: list(writer.result.follow((0, 1, 10))))
    writer.finish(lambda: "{}")
    reads = reading.result(PATIENCE)
    assert [read.next for read in reads] == [(0, 1, 0), None]
    assert numbers(reads) == list(range(20))
    (end,) = following.result(PATIENCE)
    assert (end.batch.num_rows, end.next) == (0, None)


def waiting_for(result: Result, cursor: tuple[int, int, int], gone: Callable[[], bool] = lambda: False) -> Future[list[int]]:
    """A reader in a thread of its own, which waits for rows when this returns."""
    asleep = threading.Event()

    def cancelled() -> bool:
        # Asked with the result locked, just before the wait gives the lock back: whatever the test does next finds it waiting.
        asleep.set()
        return gone()

    future = in_thread(lambda: numbers(result.follow(cursor, cancelled=cancelled)))
    assert asleep.wait(PATIENCE)
    return future


def test_a_reader_beside_the_writer_gets_everything(small: SmallStore) -> None:
    writer = begun(small.store)
    readers = [in_thread(lambda: all_numbers(writer.result)) for _ in range(3)]
    late = in_thread(lambda: numbers(writer.result.follow((1, 0, 7))))
    for start in range(0, 500, 9):
        writer.append(rows(start, min(500, start + 9)))
    writer.finish(lambda: "{}")
    assert all(reader.result(PATIENCE) == list(range(500)) for reader in readers)
    assert late.result(PATIENCE) == list(range(37, 500))


def test_a_failure_comes_to_waiting_and_later_readers(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 35))
    waiting = waiting_for(writer.result, (1, 0, 5))
    writer.abort(OperatorError("division by zero"))
    with pytest.raises(OperatorError, match="division by zero"):
        waiting.result(PATIENCE)
    with pytest.raises(OperatorError, match="division by zero"):
        list(writer.result.follow(BEGINNING))


def test_a_failure_is_seen_between_two_slices(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 35))
    reading = writer.result.follow(BEGINNING)
    assert numbers([next(reading)]) == list(range(10))
    writer.abort(OperatorError("killed"))
    with pytest.raises(OperatorError, match="killed"):
        next(reading)


def test_a_wait_ends_silently_once_it_is_cancelled(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 20))
    gone = threading.Event()
    waiting = waiting_for(writer.result, (0, 1, 3), gone.is_set)
    beyond = waiting_for(writer.result, (4, 0, 0), gone.is_set)
    gone.set()
    assert waiting.result(PATIENCE) == []
    assert beyond.result(PATIENCE) == []


def test_a_reader_that_is_left_half_way_holds_nothing(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 10))
    for start in range(10, 100, 10):
        writer.append(rows(start, start + 10))
        reading = writer.result.follow((0, 0, 3))
        next(reading)
        reading.close()
    writer.finish(lambda: "{}")
    assert all_numbers(writer.result) == list(range(100))


def test_slices_are_worth_a_message_and_fit_into_one(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    store = ResultStore(small.fs, small.root)
    narrow = begun(store, pa.schema([("n", pa.int64())]))
    for start in range(0, 300_000, 2_048):
        narrow.append(pa.record_batch({"n": pa.array(range(start, start + 2_048))}))
    narrow.finish(lambda: "{}")
    counts = [read.batch.num_rows for read in narrow.result.follow(BEGINNING)]
    assert max(counts) <= MAX_SLICE_ROWS
    assert sum(counts) / len(counts) > 12_000
    wide = begun(store, pa.schema([("t", pa.string())]))
    texts = ["x" * (10_000 if number % 50 == 0 else 10) for number in range(30_000)]
    texts[7] = "y" * (9 << 20)
    wide.append(pa.record_batch({"t": texts}))
    wide.finish(lambda: "{}")
    reads = list(wide.result.follow(BEGINNING))
    assert [text for read in reads for text in read.batch.column(0).to_pylist()] == texts
    assert all(referenced_bytes(read.batch) <= MAX_SLICE_BYTES or read.batch.num_rows == 1 for read in reads)
    assert sum(_message_bytes(read) for read in reads) < 30 << 20
    store.close()


def _message_bytes(read: ReadBatch) -> int:
    return int(pa.ipc.get_record_batch_size(read.batch))


def test_fitting_rows_moves_on_however_large_a_row_is() -> None:
    batch = pa.record_batch({"t": ["x" * 1_000] * 10})
    assert fitting_rows(batch, 0, 100, 10) == 1
    assert fitting_rows(batch, 0, 100, -5) == 1
    assert fitting_rows(batch, 0, 4, 1 << 20) == 4
    assert fitting_rows(batch, 8, 100, 1 << 20) == 2
    assert 2 <= fitting_rows(batch, 0, 100, 3_100) <= 3
