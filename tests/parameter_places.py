"""Statements with a parameter in each kind of place, the table ``t`` that they ask, and values of many types to bind."""

from __future__ import annotations

import datetime
import decimal
import re
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 0, 250_000)
COLUMNS = {
    "n": pa.array([1, 2, 3, 5, None], pa.int32()),
    "big": pa.array([1, -(2**63), 2**63 - 1, 5, None], pa.int64()),
    "amount": pa.array([decimal.Decimal(text) for text in ("1.00", "2.50", "-3.25", "5.00")] + [None], pa.decimal128(15, 2)),
    "price": pa.array([1.0, 2.5, float("nan"), float("inf"), None], pa.float64()),
    "s": pa.array(["a", "it's", "2024-02-29", "5", None], pa.string()),
    "d": pa.array([DAY, datetime.date(1969, 12, 31), datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None], pa.date32()),
    "ts": pa.array(
        [MOMENT, datetime.datetime(2024, 2, 1), datetime.datetime(1969, 1, 1), datetime.datetime(2024, 2, 29), None], pa.timestamp("us")
    ),
    "b": pa.array([True, False, True, False, None], pa.bool_()),
    "l": pa.array([[1, 2], [5], [], [None], None], pa.list_(pa.int32())),
}


class Value(NamedTuple):
    """A value to bind, and the SQL that means the same; ``plain``: what people write where the type is left to its place."""

    bound: pa.Array
    sql: str
    plain: str | None = None


VALUES = {
    "tinyint": Value(pa.array([5], pa.int8()), "CAST(5 AS TINYINT)", "5"),
    "bigint": Value(pa.array([5], pa.int64()), "CAST(5 AS BIGINT)", "5"),
    "negative": Value(pa.array([-3], pa.int64()), "CAST(-3 AS BIGINT)", "-3"),
    "ubigint": Value(pa.array([2**64 - 1], pa.uint64()), "CAST(18446744073709551615 AS UBIGINT)", "18446744073709551615"),
    "real": Value(pa.array([2.5], pa.float32()), "CAST(2.5 AS REAL)"),
    "double": Value(pa.array([0.5], pa.float64()), "CAST('0.5' AS DOUBLE)"),
    "decimal": Value(pa.array([decimal.Decimal("2.50")], pa.decimal128(9, 2)), "CAST('2.50' AS DECIMAL(9, 2))"),
    "text": Value(pa.array(["it's"], pa.string()), "'it''s'", "CAST('it''s' AS VARCHAR)"),
    "text of a day": Value(pa.array(["2024-02-29"], pa.large_string()), "'2024-02-29'", "CAST('2024-02-29' AS VARCHAR)"),
    "blob": Value(pa.array([b"\x00'\xff"], pa.binary()), "CAST('\\x00''\\xFF' AS BLOB)"),
    "boolean": Value(pa.array([True], pa.bool_()), "TRUE"),
    "date": Value(pa.array([DAY], pa.date32()), "DATE '2024-02-29'"),
    "time": Value(pa.array([datetime.time(12, 30, 0, 1)], pa.time64("us")), "TIME '12:30:00.000001'"),
    "timestamp": Value(pa.array([MOMENT], pa.timestamp("us")), "TIMESTAMP '2024-02-29 12:30:00.25'"),
    "nanoseconds": Value(pa.array([1], pa.timestamp("ns")), "CAST('1970-01-01 00:00:00.000000001' AS TIMESTAMP_NS)"),
    "instant": Value(pa.array([MOMENT], pa.timestamp("us", "Asia/Tokyo")), "TIMESTAMPTZ '2024-02-29 12:30:00.25+00'"),
    "interval": Value(pa.array([pa.MonthDayNano([1, 2, 3000])]), "INTERVAL '1 month 2 days 3 microseconds'"),
    "list": Value(pa.array([[1, 5, None]], pa.list_(pa.int64())), "CAST([1, 5, NULL] AS BIGINT[])"),
    "struct": Value(pa.array([{"a": 1, "b": "x"}]), "{'a': CAST(1 AS BIGINT), 'b': 'x'}"),
    "map": Value(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "MAP {'k': CAST(1 AS BIGINT)}"),
    "null integer": Value(pa.array([None], pa.int64()), "CAST(NULL AS BIGINT)", "NULL"),
    "null text": Value(pa.array([None], pa.string()), "CAST(NULL AS VARCHAR)", "NULL"),
}
PLACES = """
SELECT ?
SELECT ?, typeof(?) AS kind
SELECT ? + 1
SELECT ?::VARCHAR
SELECT typeof(?), ? IS NULL
SELECT -?
SELECT [?, ?]
SELECT {'x': ?}
SELECT coalesce(?, n) FROM t
SELECT coalesce(s, ?) FROM t ORDER BY n
SELECT CASE WHEN n > 2 THEN ? ELSE NULL END FROM t ORDER BY n
SELECT CASE ? WHEN 5 THEN 'five' ELSE 'other' END
SELECT n + ? FROM t ORDER BY n
SELECT amount * ? FROM t ORDER BY n
SELECT price / ? FROM t ORDER BY n
SELECT d + ? FROM t ORDER BY n
SELECT ts - ? FROM t ORDER BY n
SELECT s || ? FROM t ORDER BY n
SELECT n FROM t WHERE n = ? ORDER BY n
SELECT n FROM t WHERE ? >= n ORDER BY n
SELECT n FROM t WHERE big = ? ORDER BY n
SELECT n FROM t WHERE amount = ? ORDER BY n
SELECT n FROM t WHERE price = ? ORDER BY n
SELECT n FROM t WHERE price > ? ORDER BY n
SELECT n FROM t WHERE s = ? ORDER BY n
SELECT n FROM t WHERE s LIKE ? ORDER BY n
SELECT n FROM t WHERE s IN (?, 'a') ORDER BY n
SELECT n FROM t WHERE d = ? ORDER BY n
SELECT n FROM t WHERE d BETWEEN ? AND DATE '2030-01-01' ORDER BY n
SELECT n FROM t WHERE ts = ? ORDER BY n
SELECT n FROM t WHERE b = ? ORDER BY n
SELECT n FROM t WHERE date_trunc('month', ts) = ? ORDER BY n
SELECT n FROM t WHERE ? IS NULL OR n = ? ORDER BY n
SELECT n FROM t WHERE (n, s) = (?, 'a') ORDER BY n
SELECT n FROM t WHERE n IS DISTINCT FROM ? ORDER BY n
SELECT n FROM t WHERE n IN (?, 1) ORDER BY n
SELECT n FROM t WHERE NOT (n = ? AND b) ORDER BY n
SELECT n FROM t WHERE list_contains(?, n) ORDER BY n
SELECT n FROM t WHERE n = ANY(?) ORDER BY n
SELECT n FROM t WHERE n IN (SELECT unnest(?)) ORDER BY n
SELECT n FROM t WHERE list_contains(l, ?) ORDER BY n
SELECT substr(s, ?) FROM t ORDER BY n
SELECT round(amount, ?) FROM t ORDER BY n
SELECT lpad(s, ?, '.') FROM t ORDER BY n
SELECT l[?] FROM t ORDER BY n
SELECT strftime(?, '%Y') AS year
SELECT n FROM t ORDER BY n LIMIT ?
SELECT n FROM t ORDER BY n OFFSET ?
SELECT sum(n) FROM t HAVING sum(n) > ?
SELECT count(*) FILTER (WHERE n > ?) FROM t
SELECT n, count(*) FROM t GROUP BY n, ? ORDER BY n
SELECT n FROM t ORDER BY ?, n
SELECT n, lag(n, 1, ?) OVER (ORDER BY n) FROM t ORDER BY n
SELECT n FROM t QUALIFY row_number() OVER (ORDER BY n) <= ? ORDER BY n
SELECT x FROM (SELECT n + 1 AS x FROM t) WHERE x = ? ORDER BY x
WITH c AS (SELECT amount AS x FROM t) SELECT x FROM c WHERE x >= ? ORDER BY x
SELECT * FROM (SELECT ?)
SELECT * FROM (VALUES (?), (NULL)) AS v (x)
SELECT n FROM t UNION ALL SELECT ? ORDER BY 1
SELECT a.n FROM t AS a JOIN t AS b ON a.n = b.n AND b.n > ? ORDER BY 1
SELECT (SELECT max(n) FROM t WHERE n < ?) AS most
SELECT range FROM range(?) LIMIT 3
SELECT quantile_cont(n, ?) FROM t
""".strip().split("\n")
MORE_PLACES = Path(__file__).with_suffix(".sql").read_text().splitlines()
"""As an outsider would think of them. All values are tried in them if pytest is told ``--all-parameters``, otherwise a few."""


def parameter_count(sql: str) -> int:
    """How many values a statement takes."""
    return sql.count("?") or 1


def with_literal(sql: str, literal: str) -> str:
    """The statement with ``literal`` in place of all of its parameters."""
    return re.sub(r"\?|\$1\b", lambda _: literal, sql)
