from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from flight_server.protocol.message_sizes import MAX_MESSAGE_BYTES, message_slices

ROWS = 120_000


def texts() -> pa.RecordBatch:
    return pa.record_batch({"t": [f"{number}" * (number % 31) for number in range(ROWS)]})


BATCHES: dict[str, Callable[[], pa.RecordBatch]] = {
    "numbers": lambda: pa.record_batch({f"n{column}": pa.array(range(ROWS)) for column in range(9)}),
    "texts": texts,
    "flags": lambda: pa.record_batch([pa.array([number % 3 == 0 for number in range(ROWS)])] * 250, names=[f"f{n}" for n in range(250)]),
    "lists": lambda: pa.record_batch({"l": [list(range(number % 50)) for number in range(ROWS // 2)]}),
    "wide": lambda: pa.record_batch([pa.array(range(5))] * 20_000, names=[f"c{column}" for column in range(20_000)]),
    "slice": lambda: texts().slice(100_001, 7),
    "nothing": lambda: pa.record_batch({"n": pa.array([], pa.int64())}),
    "one row": lambda: pa.record_batch({"t": ["x" * 5_000_000]}),
    "a large row among small ones": lambda: pa.record_batch({"t": ["a", "b", "x" * 5_000_000, "c", "d"]}),
}


@pytest.mark.parametrize("name", BATCHES)
def test_pieces_are_small_enough_and_all_there(name: str) -> None:
    batch = BATCHES[name]()
    pieces = list(message_slices(batch))
    assert [start for start, _ in pieces] == [sum(piece.num_rows for _, piece in pieces[:index]) for index in range(len(pieces))]
    assert pa.Table.from_batches([piece for _, piece in pieces]).equals(pa.Table.from_batches([batch]))
    sizes = [pa.ipc.get_record_batch_size(piece) for _, piece in pieces]
    assert all(size <= MAX_MESSAGE_BYTES or piece.num_rows == 1 for size, (_, piece) in zip(sizes, pieces, strict=True))
    # Not in crumbs either: whoever is neither alone nor the rest of something fills a good part of a message.
    assert len(pieces) <= 3 + 2 * sum(sizes) // MAX_MESSAGE_BYTES
