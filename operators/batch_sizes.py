"""How large Arrow data is, how much of it fits, and a batch of nothing. Slices share buffers, so that a batch's buffers say too much."""

from __future__ import annotations

import pyarrow as pa


def referenced_bytes(batch: pa.RecordBatch) -> int:
    """The bytes of ``batch``'s own rows, not those of buffers that it is a slice of."""
    try:
        return int(batch.nbytes)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):  # of a type whose slices Arrow cannot measure
        return int(batch.get_total_buffer_size())


def fitting_rows(batch: pa.RecordBatch, start: int, max_rows: int, max_bytes: int) -> int:
    """How many rows from ``start`` on stay within both limits; at least one, even if that is too large alone."""
    rows: int = min(max_rows, batch.num_rows - start)
    while rows > 1:
        size = referenced_bytes(batch.slice(start, rows))
        if size <= max_bytes:
            break
        rows = max(1, min(rows - 1, rows * max_bytes // size))
    return rows


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows, whatever its types: of no values Arrow cannot build unions by way of Python."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
