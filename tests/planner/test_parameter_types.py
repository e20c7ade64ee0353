"""What clients are told of a statement's parameters before they bind values."""

from __future__ import annotations

import pyarrow as pa
import pytest

from planner import prepare
from planner.errors import UnknownTable
from planner.limits import DEFAULT_LIMITS
from planner.parameter_types import arrow_type
from tests.planner.memory_catalog import FolderCatalog

INTEGER, DOUBLE, TEXT, BOOLEAN, DATE = pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32()
MOMENT = pa.timestamp("ms")


def parameter_types(sql: str, catalog: FolderCatalog) -> tuple[pa.DataType, ...]:
    return prepare(sql, DEFAULT_LIMITS).parameter_types(catalog)


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT 1", ()),
        ("SELECT id FROM orders WHERE id = ?", (INTEGER,)),
        ("SELECT id FROM orders AS o WHERE ? < O.Amount AND note <> (?)", (DOUBLE, TEXT)),
        ("SELECT id FROM orders WHERE id BETWEEN $2 AND $1 OR note IN ($3, 'x')", (INTEGER, INTEGER, TEXT)),
        ("SELECT name FROM people WHERE name LIKE ? OR name ~ ? LIMIT ? OFFSET ?", (TEXT, TEXT, INTEGER, INTEGER)),
        ("SELECT ?::DATE, CAST(? AS TIMESTAMP), ?::DECIMAL(9, 2), ?::DECIMAL(30, 2)", (DATE, MOMENT, DOUBLE, pa.decimal128(30, 2))),
        ("SELECT ?::TIMESTAMPTZ, ?::SMALLINT, ?::BYTEA, ?::TEXT", (pa.timestamp("ms", "UTC"), INTEGER, pa.binary(), TEXT)),
        ("SELECT -? + 1, ? * 1.5, ? || 'x', ? = true, ? < DATE '2024-01-01'", (INTEGER, DOUBLE, TEXT, BOOLEAN, DATE)),
        ("SELECT DATE '2024-01-31' + ?", (INTEGER,)),
        ("SELECT person_id FROM orders GROUP BY 1 HAVING sum(amount) > ? AND count(*) < ? AND max(id + 1) = ?", (DOUBLE, INTEGER, INTEGER)),
        ("WITH big AS (SELECT id FROM orders WHERE amount > ?) SELECT id FROM big WHERE id IS DISTINCT FROM ?", (DOUBLE, INTEGER)),
        ("SELECT id FROM (SELECT id FROM people) WHERE id IN (SELECT id FROM orders WHERE amount = ?)", (DOUBLE,)),
        ("SELECT CASE name WHEN ? THEN 1 ELSE ? END, coalesce(age, ?) FROM people", (TEXT, INTEGER, INTEGER)),
        ("EXPLAIN SELECT id FROM orders WHERE amount < ?", (DOUBLE,)),
        ("SELECT id FROM orders WHERE id IN [?, 3] AND note GLOB ? LIMIT ?%", (INTEGER, TEXT, DOUBLE)),
        ("SELECT ?", (TEXT,)),
        ("SELECT $2 + 1", (TEXT, INTEGER)),
        ("SELECT f.id FROM read_files(?) AS f WHERE f.id > 1 + ?", (TEXT, INTEGER)),
    ],
)
def test_a_parameter_is_of_the_type_of_what_it_stands_beside(sql: str, types: tuple[pa.DataType, ...], catalog: FolderCatalog) -> None:
    assert parameter_types(sql, catalog) == types


def test_a_long_chain_is_no_deep_recursion(catalog: FolderCatalog) -> None:
    sql = "SELECT " + "1 + " * 5000 + "? FROM orders WHERE id = " + "? + " * 3000 + "1"
    assert parameter_types(sql, catalog) == (INTEGER, *(TEXT,) * 3000)


def test_a_name_tells_its_type_if_it_has_one_in_all_tables(catalog: FolderCatalog) -> None:
    sql = "SELECT 1 FROM orders, empty WHERE orders.amount = ? AND x = ? AND orders.id = ?"
    assert parameter_types(sql, catalog) == (DOUBLE, TEXT, INTEGER)
    sql = "SELECT 1 FROM people AS id, events WHERE age = ? AND value < ?"
    assert parameter_types(sql, catalog) == (INTEGER, DOUBLE)


def test_without_parameters_no_table_is_opened(catalog: FolderCatalog) -> None:
    assert parameter_types("SELECT id FROM orders", catalog) == ()
    assert catalog.opened == []


def test_an_unknown_table_is_told_as_in_planning(catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownTable, match="nowhere"):
        parameter_types("SELECT ? FROM nowhere", catalog)


@pytest.mark.parametrize(
    ("kernel", "arrow"),
    [
        ("UTINYINT", INTEGER),
        ("HUGEINT", INTEGER),
        ("FLOAT", DOUBLE),
        ("DECIMAL(15,2)", DOUBLE),
        ("DECIMAL(16,2)", pa.decimal128(16, 2)),
        ("TIME", pa.time32("ms")),
        ("TIMESTAMP WITH TIME ZONE", pa.timestamp("ms", "UTC")),
        ("TIMESTAMP_NS", MOMENT),
        ("VARCHAR(10)", TEXT),
        ("UUID", TEXT),
        ("INTEGER[]", None),
        ("STRUCT(a INTEGER)", None),
    ],
)
def test_kernel_types(kernel: str, arrow: pa.DataType | None) -> None:
    assert arrow_type(kernel) == arrow
