"""Aggregates in two steps: states of three shares, sent as Arrow data and put together, are the kernel's own answer."""

from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest

from planner.distribute.partial_aggregates import AGGREGATES, IN_ONE_PLACE, WITH_PARTIAL_FORM, combined
from planner.quoting import quote_name
from tests.planner.memory_catalog import connect

TYPES = (
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE"),
    *("DECIMAL(4,1)", "DECIMAL(15,2)", "DECIMAL(38,2)", "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
    *("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "INTERVAL", "INTEGER[]", "STRUCT(a INTEGER, b VARCHAR)"),
)
VALUES = {
    "BOOLEAN": "n % 3 = 1",
    "BLOB": "('b' || n)::BLOB",
    "DATE": "DATE '2024-02-27' + n::INTEGER",
    "TIME": "TIME '03:00:00' + to_seconds(n)",
    "INTERVAL": "to_days(n::INTEGER)",
    "INTEGER[]": "[n, n % 3]",
    "STRUCT(a INTEGER, b VARCHAR)": "{'a': n, 'b': 'x' || n % 5}",
}
TWO_ARGUMENTS = ("corr", "covar", "regr")


def value(kind: str) -> str:
    if kind.startswith("TIMESTAMP"):
        return f"(TIMESTAMP '2024-02-27 11:00:00' + to_hours(n))::{kind}"
    return f"({VALUES.get(kind, 'n * 7 % 90')})::{kind}"


@pytest.fixture(scope="module")
def kernel() -> duckdb.DuckDBPyConnection:
    connection = connect()
    columns = ", ".join(f"CASE WHEN n % 4 = 3 THEN NULL ELSE {value(kind)} END AS {quote_name(kind)}" for kind in TYPES)
    connection.execute(f"CREATE TABLE t AS SELECT n // 8 AS share, n % 3 AS g, {columns} FROM range(24) AS r(n)")
    return connection


def arguments(name: str) -> int:
    return 2 if name.startswith(TWO_ARGUMENTS) else 1


def states(kernel: duckdb.DuckDBPyConnection, call: str) -> pa.Table:
    shares = [
        kernel.sql(f"SELECT g, {call} EXPORT_STATE AS s FROM t WHERE share = {share} GROUP BY g").to_arrow_table() for share in range(3)
    ]
    return pa.concat_tables(shares)


def alike(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other


@pytest.mark.parametrize("name", sorted(WITH_PARTIAL_FORM))
def test_states_put_together_are_the_kernels_answer(name: str, kernel: duckdb.DuckDBPyConnection) -> None:
    tried = []
    for kind in TYPES:
        call = f"{name}({', '.join([quote_name(kind)] * arguments(name))})"
        try:
            wanted = kernel.sql(f"SELECT g, {call} AS a FROM t GROUP BY g ORDER BY g")
        except duckdb.BinderException:
            continue
        cursor = kernel.cursor()
        cursor.register("answers", states(kernel, call))
        got = cursor.sql(f"SELECT g, {combined(name, [kind] * arguments(name), 's')} AS a FROM answers GROUP BY g ORDER BY g")
        assert got.to_arrow_table().schema.types == wanted.to_arrow_table().schema.types, kind
        for one, other in zip(got.fetchall(), wanted.fetchall(), strict=True):
            assert alike(one[1], other[1]), (kind, one, other)
        tried.append(kind)
    assert tried


def test_of_no_rows_at_all_they_are_what_the_kernel_says(kernel: duckdb.DuckDBPyConnection) -> None:
    for name, wanted in (("count", 0), ("sum", None), ("avg", None), ("min", None)):
        cursor = kernel.cursor()
        cursor.register("answers", kernel.sql(f'SELECT {name}("BIGINT") EXPORT_STATE AS s FROM t WHERE false GROUP BY g').to_arrow_table())
        assert cursor.sql(f"SELECT {combined(name, ['BIGINT'], 's')} FROM answers").fetchall() == [(wanted,)]


def test_every_aggregate_of_the_kernel_is_in_one_of_the_lists(kernel: duckdb.DuckDBPyConnection) -> None:
    found = kernel.sql("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'").fetchall()
    assert {name for (name,) in found} <= AGGREGATES
    assert not WITH_PARTIAL_FORM & IN_ONE_PLACE
