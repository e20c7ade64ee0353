"""Statements with a parameter in each kind of place, and the table ``t`` that they ask."""

from __future__ import annotations

import datetime
import decimal

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
