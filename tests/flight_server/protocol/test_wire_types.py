from __future__ import annotations

import pyarrow as pa
import pytest

from flight_server.client import Client
from flight_server.protocol.wire_types import wire_batch, wire_schema
from tests.flight_server.fake_service import Served

WORDS = pa.array(["a", None, "b", "a"]).dictionary_encode()
LISTS = pa.ListArray.from_arrays(pa.array([0, 2, 2, 4, 4], pa.int32()), WORDS)
MAPS = pa.MapArray.from_arrays(pa.array([0, 1, 2, 2, 2], pa.int32()), pa.array(["x", "y"]), WORDS.slice(0, 2))
STRUCTS = pa.StructArray.from_arrays([WORDS, pa.array([1, 2, 3, 4])], ["w", "n"])
DEEP = pa.StructArray.from_arrays([LISTS], ["l"])
FIXED = pa.FixedSizeListArray.from_arrays(pa.concat_arrays([WORDS, WORDS]), 2)
UNION = pa.UnionArray.from_sparse(pa.array([0, 1, 0, 1], pa.int8()), [WORDS, pa.array([1, 2, 3, 4])])


@pytest.mark.parametrize("column", [WORDS, LISTS, MAPS, STRUCTS, DEEP, FIXED, UNION], ids=lambda column: str(column.type)[:20])
def test_dictionaries_become_plain_values_at_any_depth(column: pa.Array) -> None:
    batch = pa.record_batch({"c": column, "n": pa.array([1, 2, 3, 4])})
    schema = wire_schema(batch.schema)
    assert "dictionary" not in str(schema)
    plain = wire_batch(batch, schema)
    plain.validate(full=True)
    assert plain.schema == schema
    assert plain.to_pylist() == batch.to_pylist()


def test_what_has_no_dictionary_stays_the_same_object() -> None:
    batch = pa.record_batch({"n": pa.array([1, 2])})
    assert wire_schema(batch.schema) is batch.schema
    assert wire_batch(batch, batch.schema) is batch


def test_names_nullability_and_metadata_stay() -> None:
    schema = pa.schema([pa.field("w", WORDS.type, nullable=False, metadata={"k": "v"})], {"a": "b"})
    assert wire_schema(schema).equals(pa.schema([pa.field("w", pa.string(), nullable=False, metadata={"k": "v"})], {"a": "b"}), True)


def test_enums_arrive_by_pyarrow_and_adbc() -> None:
    dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi")
    sql = "SELECT 'a'::ENUM('a', 'b') AS e, ['b'::ENUM('a', 'b')] AS l FROM numbers"
    with Served() as served:
        with Client(served.uri) as client:
            assert client.schema(sql) == client.query(sql).schema
            assert client.query(sql).slice(2400, 1).to_pylist() == [{"e": "a", "l": ["b"]}]
            assert client.peek(client.submit(sql).query_id, "exchange-0", 1)[0].num_rows == 1000
        with dbapi.connect(served.uri, autocommit=True) as connection, connection.cursor() as cursor:
            assert cursor.execute(sql).fetchmany(1) == [("a", ["b"])]
            assert cursor.execute(sql + " WHERE n > ?", [2497]).fetchall() == [("a", ["b"])] * 2
