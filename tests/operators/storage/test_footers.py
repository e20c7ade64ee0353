from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import FileUnreadable
from operators.scan.needed_bytes import chunk_range, needed_bytes
from operators.storage import ByteRange, StoredFile, footers
from operators.storage.footer_cache import FooterCache
from operators.storage.footers import read_footer
from operators.storage.outlines import FILE_BYTES, Outlines


class Shelf:
    """Files in memory, and what was read of them."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.reads: list[ByteRange] = []

    def put(self, name: str, table: pa.Table, **options: object) -> StoredFile:
        sink = io.BytesIO()
        pq.write_table(table, sink, **options)
        return self.put_bytes(name, sink.getvalue())

    def put_bytes(self, name: str, content: bytes) -> StoredFile:
        self.contents[name] = content
        return StoredFile(f"shelf:{name}", len(content), "1")

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        self.reads += ranges
        return [self.contents[file.key][start:stop] for start, stop in ranges]


@pytest.fixture(name="shelf")
def _shelf() -> Shelf:
    return Shelf()


def big_table(rows: int = 50_000) -> pa.Table:
    return pa.table({"a": range(rows), "b": [f"text {row}" for row in range(rows)], "s": [{"x": row, "y": row} for row in range(rows)]})


def test_one_read_is_enough_for_most_footers(shelf: Shelf) -> None:
    file = shelf.put("big", big_table(), row_group_size=10_000)
    footer = read_footer(file, shelf.read_ranges)
    assert shelf.reads == [ByteRange(file.size_bytes - footers.FIRST_READ_BYTES, file.size_bytes)]
    assert footer.metadata.num_rows == 50_000
    assert footer.first_rows == (0, 10_000, 20_000, 30_000, 40_000, 50_000)
    assert footer.column_names == ("a", "b", "s")
    assert footer.leaf_columns == (0, 1, 2, 2)
    assert shelf.contents["big"][footer.tail_offset :] == footer.tail


def test_large_footers_take_two_reads(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footers, "FIRST_READ_BYTES", 100)
    file = shelf.put("big", big_table(), row_group_size=10_000)
    footer = read_footer(file, shelf.read_ranges)
    assert len(shelf.reads) == 2
    assert shelf.reads[1].stop == shelf.reads[0].start
    assert footer.metadata.num_row_groups == 5


def test_small_files_are_kept_whole(shelf: Shelf) -> None:
    file = shelf.put("small", pa.table({"a": [1]}))
    footer = read_footer(file, shelf.read_ranges)
    assert (footer.tail_offset, footer.tail) == (0, shelf.contents["small"])
    assert needed_bytes(footer, ["a"], None) == []


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 50, b"PAR1" + b"\0" * 40 + b"\x10\0\0\0PARE"])
def test_what_is_no_parquet_file_is_named(shelf: Shelf, content: bytes) -> None:
    file = shelf.put_bytes("bad", content)
    with pytest.raises(FileUnreadable, match="shelf:bad"):
        read_footer(file, shelf.read_ranges)


def test_the_cache_keeps_versions_apart_and_stays_below_its_limit(shelf: Shelf) -> None:
    first = shelf.put("a", big_table(), row_group_size=10_000)
    cache = FooterCache(shelf.read_ranges, max_bytes=10 << 20)
    footer = cache.get(first)
    assert cache.get(first) is footer
    assert cache.get(StoredFile(first.path, first.size_bytes, "2")) is not footer
    files = [StoredFile(first.path, first.size_bytes, str(number)) for number in range(20)]
    assert [found.rows for found in cache.outlines(files)] == [50_000] * 20
    small = FooterCache(shelf.read_ranges, max_bytes=1)
    small.outlines(files)
    small.get(files[0])
    shelf.reads.clear()
    small.get(files[0])
    assert shelf.reads == []
    small.get(files[1])
    assert len(shelf.reads) == 1


def test_files_of_the_same_schema_have_the_same_fingerprint(shelf: Shelf) -> None:
    one = read_footer(shelf.put("1", pa.table({"a": [1], "b": ["x"]})), shelf.read_ranges)
    two = read_footer(shelf.put("2", pa.table({"a": [2, 3], "b": ["y", None]})), shelf.read_ranges)
    other = read_footer(shelf.put("3", pa.table({"a": ["x"], "b": ["y"]})), shelf.read_ranges)
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != other.fingerprint


def test_needed_bytes_are_the_chunks_and_what_is_between_chunks(shelf: Shelf) -> None:
    file = shelf.put("big", big_table(), row_group_size=10_000, write_page_index=True)
    footer = read_footer(file, shelf.read_ranges)
    wanted = [chunk_range(footer.metadata.row_group(group).column(leaf)) for group in (1, 3) for leaf in (0, 2, 3)]
    unwanted = [chunk_range(footer.metadata.row_group(group).column(leaf)) for group in range(5) for leaf in range(4)]
    needed = needed_bytes(footer, ["A", "s"], (1, 3))

    def inside(place: ByteRange) -> bool:
        return any(start <= place.start and place.stop <= stop for start, stop in needed)

    assert all(inside(place) for place in wanted)
    assert not any(inside(place) for place in set(unwanted) - set(wanted))
    page_indexes = ByteRange(max(place.stop for place in unwanted), footer.tail_offset)
    assert page_indexes.stop > page_indexes.start
    assert inside(page_indexes)
    assert needed_bytes(footer, [], None) == []


def test_of_many_files_outlines_are_kept_where_footers_are_not(shelf: Shelf) -> None:
    files = [shelf.put(f"{number}", pa.table({"a": range(number)}), row_group_size=4) for number in range(1, 100)]
    cache = FooterCache(shelf.read_ranges, max_bytes=1)
    outlines = cache.outlines(files)
    assert [(outline.rows, outline.row_groups) for outline in outlines] == [(number, -(-number // 4)) for number in range(1, 100)]
    assert len({id(outline.schema) for outline in outlines}) == 1
    shelf.reads.clear()
    assert cache.outlines(files) == outlines
    assert cache.outline(files[7]) is outlines[7]
    assert shelf.reads == []
    changed = StoredFile(files[7].path, files[7].size_bytes, "2")
    assert cache.outline(changed) is not outlines[7]
    assert len(shelf.reads) == 1


def test_outlines_stay_below_their_limit(shelf: Shelf) -> None:
    kept = Outlines(3 * FILE_BYTES + 100)
    files = [shelf.put(f"{number}", pa.table({"a": [number]})) for number in range(5)]
    for file in files:
        kept.of(read_footer(file, shelf.read_ranges))
    kept.of(read_footer(files[4], shelf.read_ranges))
    assert [kept.get(file) is None for file in files] == [True, True, False, False, False]


def test_footers_that_were_read_are_parsed_again_without_reading(shelf: Shelf) -> None:
    large, small = shelf.put("large", big_table(), row_group_size=100), shelf.put("small", pa.table({"a": [1, 2]}))
    room = len(read_footer(large, shelf.read_ranges).tail) * 2
    for keep_small in (True, False):
        cache = FooterCache(shelf.read_ranges, room, lambda file, keep=keep_small: keep)  # type: ignore[misc]
        first = cache.get(small)
        cache.get(large)
        shelf.reads.clear()
        again = cache.get(small)
        assert shelf.reads == []
        assert again is not first, "of the parsed ones, the last alone has room"
        assert (again.tail, again.tail_offset, again.first_rows) == (first.tail, first.tail_offset, (0, 2))
        assert (first.tail_offset == 0) is keep_small
