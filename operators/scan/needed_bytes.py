"""Which bytes of a Parquet file a scan needs: the column chunks of its columns and row groups, and what is no column chunk. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow.parquet as pq

from operators.scan.column_names import folded, unnamed
from operators.storage.backend import ByteRange
from operators.storage.footers import MAGIC, Footer
from operators.storage.ranges import complement, union


def needed_bytes(footer: Footer, columns: Collection[str], row_groups: Iterable[int] | None) -> list[ByteRange]:
    """The ranges to fetch for those columns (names in any case) of those row groups (None for all), besides the footer itself.

    What lies between the chunks (page indexes, bloom filters of the chunks that are read) comes too: the kernel may look there.
    """
    metadata = footer.metadata
    wanted_leaves = _wanted_leaves(footer, columns)
    wanted_groups = set(range(metadata.num_row_groups)) if row_groups is None else set(row_groups)
    chunks: list[ByteRange] = []
    needed: list[ByteRange] = []
    unwanted_filters: list[ByteRange] = []
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for leaf in range(row_group.num_columns):
            chunk = row_group.column(leaf)
            place = chunk_range(chunk)
            chunks.append(place)
            if group in wanted_groups and leaf in wanted_leaves:
                needed.append(place)
            elif chunk.bloom_filter_offset and chunk.bloom_filter_length:
                unwanted_filters.append(ByteRange(chunk.bloom_filter_offset, chunk.bloom_filter_offset + chunk.bloom_filter_length))
    between = complement([*chunks, *unwanted_filters], len(MAGIC), footer.tail_offset) if needed else []
    return [ByteRange(start, min(stop, footer.tail_offset)) for start, stop in union([*needed, *between]) if start < footer.tail_offset]


def chunk_range(chunk: pq.ColumnChunkMetaData) -> ByteRange:
    """Where a column chunk lies: its dictionary page, if it has one, comes before its data pages."""
    offsets = [offset for offset in (chunk.dictionary_page_offset, chunk.data_page_offset) if offset]
    start = min(offsets)
    return ByteRange(start, start + chunk.total_compressed_size)


def _wanted_leaves(footer: Footer, columns: Collection[str]) -> set[int]:
    leaves = footer.leaf_columns
    if unnamed(footer.column_names) is not None:
        # The kernel gives names of its own to columns that have none, or share one: take all.
        return set(range(len(leaves)))
    names = [folded(name) for name in footer.column_names]
    wanted = {folded(name) for name in columns}
    return {leaf for leaf, owner in enumerate(leaves) if names[owner] in wanted}
