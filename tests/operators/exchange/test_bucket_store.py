"""What goes through hash exchanges is kept by bucket: each row once, in memory or in files, and not longer than it is needed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from operators.errors import Interrupted, OperatorError, StaleLease, TooMuchKept
from operators.exchange import bucket_store
from operators.exchange.bucket_store import BucketSpace, BucketStore

BUCKETS = 5


@pytest.fixture(name="space", params=[1 << 30, 0], ids=["memory", "files"])
def _space(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BucketSpace]:
    space = BucketSpace(request.param, 1 << 30, tmp_path)
    yield space
    space.close()


def batch(*rows: tuple[int, int]) -> pa.RecordBatch:
    """Rows of a number and its bucket."""
    numbers, buckets = zip(*rows, strict=True) if rows else ((), ())
    return pa.record_batch([pa.array(numbers, pa.int64()), pa.array(buckets, pa.uint16())], names=["n", "_bucket"])


def numbers(batches: list[pa.RecordBatch] | None) -> list[int]:
    assert batches is not None
    assert all(part.schema.names == ["n"] for part in batches)
    return [n for part in batches for n in part.column(0).to_pylist()]


def test_rows_come_back_by_bucket_in_their_order_and_without_its_number(space: BucketSpace) -> None:
    store = BucketStore(space)
    sizes = store.put("e", 0, [batch((1, 3), (2, 0), (3, 3)), batch(), batch((4, 0), (5, 4), (6, 3))], BUCKETS)
    assert sizes.rows == (2, 0, 0, 3, 1)
    assert sizes.bytes == (16, 0, 0, 24, 8)
    assert numbers(store.read("e", 0, 0, 1)) == [2, 4]
    assert numbers(store.read("e", 0, 1, 4)) == [1, 3, 6]
    assert numbers(store.read("e", 0, 0, BUCKETS)) == [2, 4, 1, 3, 6, 5]
    assert numbers(store.read("e", 0, 1, 3)) == []
    assert store.read("e", 1, 0, 1) is None
    assert store.read("other", 0, 0, 1) is None


def test_an_output_without_rows_is_there_all_the_same(space: BucketSpace) -> None:
    store = BucketStore(space)
    assert store.put("e", 0, [batch()], BUCKETS).rows == (0,) * BUCKETS
    assert store.read("e", 0, 0, BUCKETS) == []


@pytest.mark.parametrize("piece_bytes", [1, 100, 1 << 20])
def test_large_outputs_are_sorted_piece_by_piece(space: BucketSpace, monkeypatch: pytest.MonkeyPatch, piece_bytes: int) -> None:
    monkeypatch.setattr(bucket_store, "PIECE_BYTES", piece_bytes)
    chance = random.Random(piece_bytes)
    rows = [(n, chance.randrange(BUCKETS)) for n in range(200)]
    store = BucketStore(space)
    sizes = store.put("e", 0, [batch(*rows[start : start + 10]) for start in range(0, 200, 10)], BUCKETS)
    for bucket in range(BUCKETS):
        wanted = [n for n, where in rows if where == bucket]
        assert numbers(store.read("e", 0, bucket, bucket + 1)) == wanted
        assert sizes.rows[bucket] == len(wanted)


def test_of_a_share_that_is_run_again_here_the_first_output_counts(space: BucketSpace) -> None:
    store = BucketStore(space)
    first = store.put("e", 0, [batch((1, 1), (2, 2))], BUCKETS)
    used = space.used_bytes()
    assert store.put("e", 0, [batch((2, 2), (1, 1))], BUCKETS) == first
    assert numbers(store.read("e", 0, 0, BUCKETS)) == [1, 2]
    assert space.used_bytes() == used


def test_what_is_dropped_takes_no_room_and_stays_away(space: BucketSpace) -> None:
    store = BucketStore(space)
    for exchange, share in (("e", 0), ("e", 1), ("f", 0)):
        store.put(exchange, share, [batch((share, 1))], BUCKETS)
    kept = store.read("e", 1, 0, BUCKETS)
    store.drop("e")
    assert store.read("e", 0, 0, BUCKETS) is None
    assert space.used_bytes() == 8
    with pytest.raises(StaleLease, match="share 2 of e"):
        store.put("e", 2, [batch((1, 1))], BUCKETS)
    assert space.used_bytes() == 8
    assert numbers(kept) == [1], "who reads it still does so"
    assert numbers(store.read("f", 0, 0, BUCKETS)) == [0]
    store.drop("e")


def test_a_query_that_ends_takes_everything_along(space: BucketSpace) -> None:
    store, other = BucketStore(space), BucketStore(space)
    store.put("e", 0, [batch((1, 1))], BUCKETS)
    other.put("e", 0, [batch((2, 1))], BUCKETS)
    store.close()
    store.close()
    assert space.used_bytes() == 8
    with pytest.raises(Interrupted):
        store.read("e", 0, 0, 1)
    with pytest.raises(Interrupted):
        store.put("e", 1, [batch((1, 1))], BUCKETS)
    assert numbers(other.read("e", 0, 0, BUCKETS)) == [2]


def test_what_memory_has_no_room_for_goes_to_files_that_nobody_has_to_remove(tmp_path: Path) -> None:
    space = BucketSpace(20, 1 << 20, tmp_path)
    store = BucketStore(space)
    store.put("e", 0, [batch((1, 1), (2, 1))], BUCKETS)
    assert list(tmp_path.iterdir()) == [], "no folder before it is needed"
    store.put("e", 1, [batch((3, 1), (4, 0))], BUCKETS)
    assert numbers(store.read("e", 1, 0, BUCKETS)) == [4, 3]
    (folder,) = tmp_path.iterdir()
    assert [name for name in os.listdir(folder) if name.endswith(".arrow")] == []
    store.drop("e")
    store.put("f", 0, [batch((5, 1))], BUCKETS)
    assert space.used_bytes() == 8
    space.close()
    assert list(tmp_path.iterdir()) == []


def test_where_no_room_is_left_the_error_says_what_to_do(tmp_path: Path) -> None:
    space = BucketSpace(8, 8, tmp_path)
    store = BucketStore(space)
    store.put("e", 0, [batch((1, 1))], BUCKETS)
    store.put("e", 1, [batch((1, 1))], BUCKETS)
    with pytest.raises(TooMuchKept, match="8 bytes") as told:
        store.put("e", 2, [batch((1, 1))], BUCKETS)
    assert "limits.spill_bytes" in str(told.value.remedy)
    store.drop("e")
    assert space.used_bytes() == 0


def test_a_disk_that_is_full_is_an_error_and_no_loss_of_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = BucketSpace(0, 1 << 20, tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.OSFile", full)
    with pytest.raises(TooMuchKept, match="No space left on device"):
        BucketStore(space).put("e", 0, [batch((1, 1))], BUCKETS)
    assert space.used_bytes() == 0


@pytest.mark.parametrize("bucket", [None, BUCKETS, 60_000])
def test_a_row_without_a_bucket_is_an_error(space: BucketSpace, bucket: int | None) -> None:
    rows = pa.record_batch([pa.array([1, 2]), pa.array([0, bucket], pa.uint16())], names=["n", "_bucket"])
    with pytest.raises(OperatorError, match="bucket"):
        BucketStore(space).put("e", 0, [rows], BUCKETS)
    assert space.used_bytes() == 0


def test_rows_of_all_types_are_kept(space: BucketSpace) -> None:
    sql = """SELECT i, {'a': i, 'b': [i::VARCHAR]} AS s, MAP {i: i} AS m, union_value(x := i)::UNION(x INT, y VARCHAR) AS u,
        (i % 3)::VARCHAR::ENUM('0', '1', '2') AS e, i::HUGEINT AS h, [i, i]::INT[2] AS f, INTERVAL 1 DAY AS d, uuid() AS g, NULL AS n,
        CASE WHEN i % 2 = 0 THEN repeat('x', i) END AS t, (i * 7 % 5)::USMALLINT AS _bucket FROM range(50) r(i)"""
    table = duckdb.sql(sql).to_arrow_table()
    store = BucketStore(space)
    store.put("e", 0, table.to_batches(max_chunksize=20), BUCKETS)
    kept = store.read("e", 0, 0, BUCKETS)
    assert kept is not None
    rows = pa.Table.from_batches(kept).to_pylist()
    expected = table.drop_columns("_bucket").to_pylist()
    assert sorted(rows, key=lambda row: int(row["i"])) == expected
    assert [row["i"] * 7 % 5 for row in rows] == sorted(row["i"] * 7 % 5 for row in rows)


def test_a_look_shows_some_of_what_is_kept(space: BucketSpace) -> None:
    store = BucketStore(space)
    for share in range(3):
        store.put("e", share, [batch((share, 1))], BUCKETS)
    assert len(store.peek("e", 2)) == 2
    assert store.peek("nothing", 2) == []
