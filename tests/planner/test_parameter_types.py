"""What clients are told of a statement's parameters before they bind values."""

from __future__ import annotations

import pyarrow as pa
import pytest

from planner import prepare
from planner.errors import UnknownTable
from planner.limits import DEFAULT_LIMITS
from planner.parameter_kinds import arrow_type
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


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT m FROM (SELECT id + 1 AS m FROM orders) WHERE m = ?", (INTEGER,)),
        ("WITH c (x) AS (SELECT amount FROM orders) SELECT x FROM c WHERE x >= ?", (DOUBLE,)),
        ("SELECT id FROM (SELECT amount AS id FROM orders) WHERE id = ?", (DOUBLE,)),
        ("SELECT x FROM orders AS o (x, y, z) WHERE z < ?", (DOUBLE,)),
        ("SELECT id FROM people WHERE ? IS NULL OR age = ?", (INTEGER, INTEGER)),
        ("SELECT id FROM people WHERE (name = ? OR (? IS NULL)) AND (? IS NOT NULL AND age > ?)", (TEXT, TEXT, INTEGER, INTEGER)),
        ("SELECT 1 FROM orders WHERE date_trunc('month', DATE '2024-01-01' + id::INTEGER) = ?", (MOMENT,)),
        ("SELECT id FROM people WHERE (age, name) = (?, ?) OR (name, age) IN ((?, ?))", (INTEGER, TEXT, TEXT, INTEGER)),
        ("SELECT id FROM people WHERE age = (SELECT max(a) FROM (SELECT age AS a FROM people) WHERE a < ?)", (INTEGER,)),
        (
            "SELECT id FROM people WHERE ? IN (SELECT amount FROM orders) AND EXISTS (SELECT 1 FROM orders WHERE amount = ?)",
            (DOUBLE, DOUBLE),
        ),
        ("SELECT amount FROM orders UNION ALL SELECT ? UNION ALL SELECT ?", (DOUBLE, DOUBLE)),
        ("SELECT * FROM (VALUES (?, 'x'), (1, ?)) AS v (a, b)", (INTEGER, TEXT)),
        ("SELECT id FROM people WHERE ? AND NOT ? OR CASE WHEN ? THEN true END", (BOOLEAN, BOOLEAN, BOOLEAN)),
        (
            "SELECT sum(age) FILTER (?), lag(age, ?, ?) OVER (ORDER BY age ROWS ? PRECEDING) FROM people",
            (BOOLEAN, INTEGER, INTEGER, INTEGER),
        ),
        ("SELECT round(amount, ?), lpad(note, ?, ?), date_trunc(?, DATE '2024-01-01') FROM orders", (INTEGER, INTEGER, TEXT, TEXT)),
        ("SELECT year(?), abs(?), make_date(?, ?, 1), list_contains([1.5], ?)", (MOMENT, DOUBLE, INTEGER, INTEGER, DOUBLE)),
        ("SELECT substring(note, ?, ?), position(? IN note), quantile_cont(id, ?) FROM orders", (INTEGER, INTEGER, TEXT, DOUBLE)),
        ("SELECT split_part(note, ?, ?), if(id > 1, note, ?), nullif(id, ?) FROM orders", (TEXT, INTEGER, TEXT, INTEGER)),
        (
            "SELECT * FROM range(?), orders WHERE [1, 2][?] = id AND DATE '2024-01-01' - INTERVAL (?) DAY < ?",
            (INTEGER, INTEGER, INTEGER, MOMENT),
        ),
        ("SELECT -?, EXTRACT(year FROM ?), ? AT TIME ZONE ?", (INTEGER, MOMENT, MOMENT, TEXT)),
        ("SELECT ?, typeof(?), [?], {'a': ?}", (TEXT, TEXT, TEXT, TEXT)),
        ("SELECT MAP {'k': 1}[?], [1.5][?], note[?], [1, 2][?:?] FROM orders", (TEXT, *(INTEGER,) * 4)),
        (
            "SELECT id & ?, id << ?, id // ?, id ^ ?, ? IS TRUE, if(?, 1, 2) FROM people",
            (INTEGER, INTEGER, INTEGER, DOUBLE, BOOLEAN, BOOLEAN),
        ),
        ("SELECT sum(?), floor(?), epoch(?), percentile_cont(?) WITHIN GROUP (ORDER BY id) FROM people", (DOUBLE, DOUBLE, MOMENT, DOUBLE)),
    ],
)
def test_the_kernel_tells_what_a_place_does_not_show(sql: str, types: tuple[pa.DataType, ...], catalog: FolderCatalog) -> None:
    assert parameter_types(sql, catalog) == types


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("SELECT id FROM people WHERE id = ANY(?) AND name <> ALL(?)", (pa.list_(INTEGER), pa.list_(TEXT))),
        ("SELECT id FROM people WHERE id IN ? OR name NOT IN $2", (pa.list_(INTEGER), pa.list_(TEXT))),
        ("SELECT m FROM (SELECT amount AS m FROM orders) WHERE m = ANY(?)", (pa.list_(DOUBLE),)),
        ("SELECT id FROM people WHERE age IN (SELECT unnest(?))", (pa.list_(INTEGER),)),
        ("SELECT id FROM people WHERE list_contains(?, name) AND list_position(?, age) > 1", (pa.list_(TEXT), pa.list_(INTEGER))),
        ("SELECT list_has_any([1], ?), list_append([1.5], ?), ? = ANY([DATE '2024-01-01'])", (pa.list_(INTEGER), DOUBLE, DATE)),
        ("SELECT unnest(?), ? = ANY(?)", (pa.list_(TEXT), TEXT, pa.list_(TEXT))),
        ("SELECT x FROM unnest(?) AS u (x)", (pa.list_(TEXT),)),
    ],
)
def test_where_only_a_list_will_do_it_is_one_of_what_stands_beside(
    sql: str, types: tuple[pa.DataType, ...], catalog: FolderCatalog
) -> None:
    assert parameter_types(sql, catalog) == types


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        (
            "SELECT ? + INTERVAL 1 DAY, ? - INTERVAL 1 DAY, date_add(?, INTERVAL 1 DAY), ? * INTERVAL 1 DAY",
            (MOMENT, MOMENT, MOMENT, DOUBLE),
        ),
        ("SELECT DATE '2024-01-01' - ?, ? - DATE '2024-01-01'", (INTEGER, DATE)),
        (
            "SELECT count(*) OVER (ORDER BY TIMESTAMP '2024-01-01' RANGE ? PRECEDING), count(*) OVER (ORDER BY 1.5 RANGE ? PRECEDING)",
            (pa.month_day_nano_interval(), DOUBLE),
        ),
    ],
)
def test_what_is_added_to_times_and_taken_from_them(sql: str, types: tuple[pa.DataType, ...], catalog: FolderCatalog) -> None:
    assert parameter_types(sql, catalog) == types


def test_only_so_many_places_are_asked_about(catalog: FolderCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.prepared.MAX_PROBES", 1)
    sql = "SELECT x FROM (SELECT amount AS x FROM orders) WHERE x = ? OR x = ?"
    assert parameter_types(sql, catalog) == (DOUBLE, TEXT)


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
