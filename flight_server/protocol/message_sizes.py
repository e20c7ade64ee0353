"""Batches as messages that every client reads.

gRPC's own default is to refuse messages over 4 MiB; the clients of Go, Rust, Node and others keep to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

MAX_MESSAGE_BYTES = 3 << 20
"""Of a batch as Arrow writes it, header and padding included. What Flight adds (a place, names) is small, and far below the rest."""


def message_slices(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """``batch`` in pieces of at most ``MAX_MESSAGE_BYTES`` as messages, with the row at which each begins. One row is never cut."""
    start = 0
    while start < batch.num_rows or start == 0:
        piece = batch.slice(start)
        while piece.num_rows > 1 and (size := pa.ipc.get_record_batch_size(piece)) > MAX_MESSAGE_BYTES:
            piece = piece.slice(0, max(1, min(piece.num_rows - 1, piece.num_rows * MAX_MESSAGE_BYTES // size)))
        yield start, piece
        start += max(1, piece.num_rows)
