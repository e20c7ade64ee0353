from __future__ import annotations

import pyarrow as pa
import pytest

from operators.batch_sizes import empty_batch

UNION = pa.sparse_union([pa.field("num", pa.int32()), pa.field("texts", pa.list_(pa.string()))])


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int32(), pa.string(), pa.decimal128(38, 0), pa.month_day_nano_interval(), pa.null(), pa.list_(pa.int32(), 2)),
        *(UNION, pa.list_(UNION), pa.struct([("u", UNION)]), pa.map_(pa.string(), UNION)),
    ],
    ids=str,
)
def test_a_batch_of_nothing_can_have_any_type(kind: pa.DataType) -> None:
    schema = pa.schema([pa.field("first", pa.int64(), nullable=False), pa.field("second", kind, metadata={"a": "b"})])
    batch = empty_batch(schema)
    batch.validate(full=True)
    assert batch.num_rows == 0
    assert batch.schema.equals(schema, check_metadata=True)
