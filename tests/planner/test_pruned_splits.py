"""What is not read: files by partition, row groups by statistics; and how the rest is split."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import math

import pyarrow as pa
import pytest

from planner import PlanOptions, plan
from planner.catalog import Column, ColumnRange, DataFile, RowGroup, Table
from planner.logical import Scan
from planner.optimize.comparisons import comparisons
from planner.optimize.prune_row_groups import keep_row_groups
from planner.parse import parse
from planner.physical import ExchangeInput, PlannedExchange, Split
from planner.typed_literals import literal_ast
from tests.planner.memory_catalog import FolderCatalog, scans

MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 0, 250_000)


def files_read(sql: str, catalog: FolderCatalog) -> list[str]:
    (scan,) = scans(plan(sql, catalog, PlanOptions()))
    return [split.file.path.partition("events/")[2].removesuffix("/part.parquet") for split in scan.splits]


@pytest.mark.parametrize(
    ("where", "files"),
    [
        ("year = 2024", ["year=2024/kind=click", "year=2024/kind=view"]),
        ("2024 < year AND kind = 'view'", ["year=2025/kind=view"]),
        ("events.year IN (2023) AND kind <> 'x' AND kind > 'd'", ["year=2023/kind=view"]),
        ("year BETWEEN 2024 AND 2024 AND kind = 'click'", ["year=2024/kind=click"]),
        ("year = '2024' AND kind = 'click'", ["year=2024/kind=click"]),
        ("year = 1900", ["year=2023/kind=click"]),
        ("kind IS NULL", ["year=2023/kind=click"]),
    ],
)
def test_partitions_rule_files_out(where: str, files: list[str], catalog: FolderCatalog) -> None:
    assert files_read(f"SELECT id FROM events WHERE {where}", catalog) == files


@pytest.mark.parametrize(
    "where",
    [
        "year = 2024 OR id = 1",
        "year + 0 = 2024",
        "NOT year = 2024",
        "year <> 2024",
        "year = (SELECT 2024)",
        "kind = 3 OR TRUE",
        "id > 0",
    ],
)
def test_what_is_no_plain_comparison_rules_nothing_out(where: str, catalog: FolderCatalog) -> None:
    assert len(files_read(f"SELECT id FROM events WHERE {where}", catalog)) == 6


@pytest.mark.parametrize(
    "source",
    [
        "events FULL JOIN people ON events.id = people.id WHERE year = 2024",
        "people LEFT JOIN events ON events.id = people.id WHERE year = 2024",
        "events LEFT JOIN people ON events.id = people.id AND year = 2024",
        "events TABLESAMPLE (50 PERCENT) WHERE year = 2024",
        "events POSITIONAL JOIN people WHERE year = 2024",
    ],
)
def test_where_rows_could_be_missed_every_file_is_read(source: str, catalog: FolderCatalog) -> None:
    found = [scan for scan in scans(plan(f"SELECT value FROM {source}", catalog, PlanOptions())) if scan.table == "events"]
    assert [len(scan.splits) for scan in found] == [6]


def test_only_the_files_left_are_opened(catalog: FolderCatalog) -> None:
    plan("SELECT value FROM events WHERE year = 2024 AND kind = 'view'", catalog, PlanOptions())
    assert [[len(table.files) for table in catalog.opened], len(catalog.footers)] == [[1], 1]


def test_footers_are_read_only_where_they_can_help(catalog: FolderCatalog) -> None:
    plan("SELECT id FROM orders", catalog, PlanOptions())
    plan("SELECT id FROM orders WHERE id = 3", catalog, PlanOptions(prune_row_groups=False))
    assert catalog.footers == []


def test_rows_between_kept_groups_are_not_read(catalog: FolderCatalog) -> None:
    (scan,) = scans(plan("SELECT id FROM orders WHERE id IN (5, 120, 950)", catalog, PlanOptions()))
    assert [(split.row_groups, split.first_row, split.rows) for split in scan.splits] == [((0, 1), 0, 200), ((9,), 900, 100)]
    assert (scan.row_groups_kept, scan.row_groups_total) == (3, 10)


def test_one_group_is_kept_where_none_can_match(catalog: FolderCatalog) -> None:
    for options in (PlanOptions(), PlanOptions(workers=3, distribute_rows=0)):
        (scan,) = scans(plan("SELECT id FROM orders WHERE id = 5000", catalog, options))
        assert [split.row_groups for split in scan.splits] == [(0,)]


def scan_of(kind: str, predicate: str) -> Scan:
    query = parse(f"SELECT 1 FROM t WHERE {predicate}", PlanOptions().limits).ast["Query"]
    select = query["body"]["Select"]
    return Scan(
        select["from"][0]["relation"],
        "in_0",
        "t",
        Table("t", (DataFile("t", 1, "1"),)),
        (Column("c", kind),),
        predicates=(select["selection"],),
    )


@pytest.mark.parametrize(
    ("kind", "minimum", "maximum", "predicate", "kept"),
    [
        ("BIGINT", 10, 20, "c = 9", False),
        ("BIGINT", 10, 20, "c = 10", True),
        ("BIGINT", 10, 20, "c < 10", False),
        ("BIGINT", 10, 20, "c <= 10", True),
        ("BIGINT", 10, 20, "c > 20", False),
        ("BIGINT", 10, 20, "20 >= c", True),
        ("BIGINT", 10, 20, "c = 15.5", True),
        ("BIGINT", 10, 20, "c = '9'", False),
        ("BIGINT", 10, 20, "c = '9.7'", True),
        ("BIGINT", 10, 20, "c = -15", False),
        ("BIGINT", None, None, "c = 9", True),
        ("DECIMAL(5,2)", 1, 2, "c > 2.01", False),
        ("DOUBLE", 1.0, 2.0, "c > 3", True),
        ("DOUBLE", 1.0, 2.0, "c < 0.5", False),
        ("FLOAT", 1.0, 2.0, "c < 0.5", True),
        ("VARCHAR", "a", "c", "c = 'd'", False),
        ("VARCHAR", "a", "c", "c = 5", True),
        ("VARCHAR", "1", "3", "c > '4' COLLATE nocase", True),
        ("BOOLEAN", False, False, "c = TRUE", True),
    ],
)
def test_statistics_rule_out_only_what_is_certain(kind: str, minimum: object, maximum: object, predicate: str, kept: bool) -> None:
    known = ColumnRange(minimum, maximum, 0)  # type: ignore[arg-type]
    groups = (RowGroup(0, 0, 5, ranges={"c": known}),)
    assert bool(keep_row_groups(scan_of(kind, predicate), groups)) is kept


@pytest.mark.parametrize(
    ("kind", "minimum", "maximum", "value", "kept"),
    [
        ("BIGINT", 10, 20, pa.scalar(9, pa.int8()), False),
        ("BIGINT", 10, 20, pa.scalar(-15), False),
        ("BIGINT", 10, 20, pa.scalar(15, pa.uint64()), True),
        ("BIGINT", 10, 20, pa.scalar(decimal.Decimal("9.99")), False),
        ("BIGINT", 10, 20, pa.scalar(9.0), True),
        ("DECIMAL(5,2)", 1, 2, pa.scalar(decimal.Decimal("2.01")), False),
        ("DECIMAL(5,2)", 1, 2, pa.scalar(2.01), True),
        ("DOUBLE", 1.0, 2.0, pa.scalar(0.5), False),
        ("DOUBLE", 1.0, 2.0, pa.scalar(math.nan), True),
        ("DOUBLE", 1.0, 2.0, pa.scalar(0.5, pa.float32()), True),
        ("VARCHAR", "a", "c", pa.scalar("d", pa.large_string()), False),
        ("VARCHAR", "a", "c", pa.scalar("b"), True),
        ("DATE", datetime.date(2024, 1, 1), datetime.date(2024, 1, 9), pa.scalar(datetime.date(2023, 12, 31)), False),
        ("DATE", datetime.date(2024, 1, 1), datetime.date(2024, 1, 9), pa.scalar(datetime.datetime(2023, 12, 31)), True),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(MOMENT + datetime.timedelta(microseconds=1)), False),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(MOMENT), True),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(MOMENT, pa.timestamp("ms")), True),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(MOMENT.replace(microsecond=0), pa.timestamp("s")), False),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(0, pa.int64()).cast(pa.timestamp("ns")), True),
        ("TIMESTAMP", MOMENT, MOMENT, pa.scalar(None, pa.timestamp("us")), True),
    ],
)
def test_values_of_parameters_rule_out_as_literals_do(kind: str, minimum: object, maximum: object, value: pa.Scalar, kept: bool) -> None:
    scan = scan_of(kind, "c = 1")
    compared = {"BinaryOp": {**scan.predicates[0]["BinaryOp"], "right": literal_ast(value)}}
    groups = (RowGroup(0, 0, 5, ranges={"c": ColumnRange(minimum, maximum, 0)}),)  # type: ignore[arg-type]
    assert bool(keep_row_groups(dataclasses.replace(scan, predicates=(compared,)), groups)) is kept


@pytest.mark.parametrize("cast", ["'9.7'::HUGEINT", "9.7::HUGEINT", "'2024-02-29 12:30:00.250'::TIMESTAMP_S", "'0x9'::UINTEGER"])
def test_written_casts_whose_value_is_another_rule_nothing_out(cast: str) -> None:
    second = MOMENT.replace(microsecond=0)
    known = ColumnRange(second, second, 0) if cast.endswith("_S") else ColumnRange(10, 20, 0)
    groups = (RowGroup(0, 0, 5, ranges={"c": known}),)
    assert keep_row_groups(scan_of("TIMESTAMP" if cast.endswith("_S") else "BIGINT", f"c = {cast}"), groups) == groups


def test_null_counts_decide_is_null() -> None:
    groups = tuple(RowGroup(n, n, 1, ranges={"c": ColumnRange(None, None, count)}) for n, count in enumerate((0, 1, None)))
    assert [group.index for group in keep_row_groups(scan_of("BIGINT", "c IS NULL"), groups)] == [1, 2]


def test_unordered_statistics_prune_nothing() -> None:
    groups = (RowGroup(0, 0, 1, ranges={"c": ColumnRange(math.nan, math.nan, 0)}),)
    assert keep_row_groups(scan_of("DOUBLE", "c > 3"), groups) == groups


@pytest.mark.parametrize("predicate", ["c", "c = c", "c <> 1", "c + 1 = 2", "c = 1 OR c = 2", "c IN (1, x)", "c NOT IN (1)", "c LIKE 'a'"])
def test_other_shapes_are_no_comparisons(predicate: str) -> None:
    (term,) = scan_of("BIGINT", predicate).predicates
    assert comparisons(term) == ()


def test_splits_cover_every_row_once_and_are_few(catalog: FolderCatalog) -> None:
    made = plan("SELECT sum(amount) FROM orders", catalog, PlanOptions(workers=2, distribute_rows=0, splits_per_worker=2, split_rows=10))
    (scan,) = scans(made)
    spans = [(split.first_row, split.rows) for split in scan.splits]
    assert len(spans) <= 5
    assert [first for first, _ in spans] == [sum(rows or 0 for _, rows in spans[:n]) for n in range(len(spans))]
    assert sum(rows or 0 for _, rows in spans) == 1000
    assert all(split.bytes > 0 for split in scan.splits)


@pytest.mark.parametrize(("share_values", "shares"), [(1_000_000, 2), (250, 4), (1, 6)])
def test_a_worker_has_more_than_one_share_where_each_is_worth_it(share_values: int, shares: int, catalog: FolderCatalog) -> None:
    # Of 1,000 rows, and two columns.
    options = PlanOptions(workers=2, distribute_rows=1, splits_per_worker=3, split_rows=10, share_values=share_values, start_bytes=0)
    made = plan("SELECT sum(id + amount) FROM orders", catalog, options)
    assert abs(len(made.fragments[0].shares) - shares) <= 1


def test_a_share_is_said_to_have_all_rows_before_filters(catalog: FolderCatalog) -> None:
    options = PlanOptions(workers=2, distribute_rows=1, split_rows=10, start_bytes=0)
    plain = plan("SELECT sum(amount) FROM orders", catalog, options)
    filtered = plan("SELECT sum(amount) FROM orders WHERE id >= 0", catalog, options)
    # By which rows are the share's is a filter: where there is no other, the kernel takes a fifth of the rows to be left.
    assert [scan.expected_rows for scan in scans(plain)] == [5000]
    assert [scan.expected_rows for scan in scans(filtered)] == [1000]
    assert [scan.expected_rows for scan in scans(plan("SELECT sum(amount) FROM orders", catalog, PlanOptions()))] == [None]


def test_small_scans_are_whole_beside_shares_of_the_large_one(catalog: FolderCatalog) -> None:
    options = PlanOptions(workers=3, distribute_rows=500, split_rows=100, share_values=1, start_bytes=0)
    made = plan("SELECT count(*) FROM orders o JOIN people p ON o.person_id = p.id", catalog, options)
    assert [fragment.parallel for fragment in made.fragments] == [True, False]
    assert [exchange.kind for exchange in made.exchanges] == ["gather", "result"]
    assert made.fragments[0].divided == {"in_0"}
    assert [arm.name for arm in made.fragments[0].inputs] == ["in_0", "in_1"]
    (gathered,) = made.fragments[1].inputs
    assert isinstance(gathered, ExchangeInput)
    assert made.exchanges[gathered.exchange] == PlannedExchange(0, "gather", gathered.columns, estimated_bytes=0)


def test_one_worker_is_one_fragment(catalog: FolderCatalog) -> None:
    made = plan("SELECT count(*) FROM orders o JOIN people p ON o.person_id = p.id", catalog, PlanOptions(distribute_rows=0))
    assert [fragment.parallel for fragment in made.fragments] == [False]
    assert [split for scan in scans(made) for split in scan.splits] == [
        Split(file, None, 0, None, file.size_bytes) for name in ("orders", "people") for file in catalog.tables[name].files
    ]


@pytest.mark.parametrize(
    ("sql", "parallel"),
    [
        ("SELECT note FROM orders", [True]),
        ("SELECT note, (SELECT 1) FROM orders", [True]),
        ("WITH x AS (SELECT 1) SELECT note FROM orders", [True]),
        ("SELECT DISTINCT note FROM orders", [True, False]),
        ("SELECT count(note) FROM orders", [True, False]),
        ("SELECT count(*) FROM orders", [False]),
        ("SELECT note FROM orders GROUP BY note", [True, False]),
        ("SELECT note FROM orders ORDER BY id LIMIT 300", [True, False]),
        # Here the answers of shares would be as large as what they read.
        ("SELECT note FROM orders ORDER BY id", [False]),
        ("SELECT row_number() OVER () FROM orders", [False]),
        ("SELECT note FROM orders QUALIFY row_number() OVER () = 1", [False]),
        ("SELECT note FROM orders UNION ALL SELECT name FROM people", [False]),
        # Of few first rows alone one worker reads more than what it sorts by.
        ("SELECT note FROM orders ORDER BY id LIMIT 3", [False]),
        # A scan that ends early; what may be another value in each share; a function that nobody vouches for.
        ("SELECT note FROM orders LIMIT 3", [False]),
        ("SELECT random() FROM orders", [False]),
        ("SELECT unnest([1]) FROM orders", [False]),
    ],
)
def test_what_saves_nothing_is_one_fragment(sql: str, parallel: list[bool], catalog: FolderCatalog) -> None:
    made = plan(sql, catalog, PlanOptions(workers=3, distribute_rows=500, split_rows=100, share_values=1, start_bytes=0))
    assert [fragment.parallel for fragment in made.fragments] == parallel


def test_files_without_footers_are_split_by_file(catalog: FolderCatalog) -> None:
    table = catalog.tables["events"]
    files = tuple(dataclasses.replace(file, path=file.path) for file in table.files)
    catalog.tables["events"] = dataclasses.replace(table, files=files)
    catalog.row_groups = lambda file: None  # type: ignore[method-assign]
    (scan,) = scans(plan("SELECT sum(value) FROM events", catalog, PlanOptions(workers=2, distribute_rows=0)))
    assert [(split.row_groups, split.rows) for split in scan.splits] == [(None, None)] * 6


def test_more_rows_than_memory_may_hold_are_not_gathered(catalog: FolderCatalog) -> None:
    sql = "SELECT person_id, sum(amount) FROM orders GROUP BY person_id"
    few = PlanOptions(workers=3, distribute_rows=0, gather_bytes=1 << 30)
    assert [exchange.kind for exchange in plan(sql, catalog, few).exchanges] == ["gather", "result"]
    many = PlanOptions(workers=3, distribute_rows=0, gather_bytes=100)
    assert "gather" not in {exchange.kind for exchange in plan(sql, catalog, many).exchanges}
    streamed = plan("SELECT amount FROM orders", catalog, many)
    assert [fragment.parallel for fragment in streamed.fragments] == [True], "nothing is gathered for a scan that is streamed"


def test_a_split_is_never_larger_than_it_may_be(catalog: FolderCatalog) -> None:
    made = plan("SELECT amount FROM orders", catalog, PlanOptions(workers=2, distribute_rows=0, split_rows=10, max_split_rows=250))
    (scan,) = scans(made)
    assert max(split.rows or 0 for split in scan.splits) <= 250


@pytest.mark.parametrize("clock", ["now()", "current_timestamp", "current_date", "today()"])
def test_the_time_is_told_once(catalog: FolderCatalog, clock: str) -> None:
    made = plan(
        f"SELECT id, {clock} AS seen FROM orders WHERE {clock} > DATE '2020-01-01'", catalog, PlanOptions(workers=3, distribute_rows=0)
    )
    assert [fragment.parallel for fragment in made.fragments] == [True, False]
    first, last = (fragment.sql.lower() for fragment in made.fragments)
    name = clock.removesuffix("()")
    assert name not in first, "each worker would tell another time"
    assert name in last


@pytest.mark.parametrize(
    ("sql", "serial"),
    [
        ("SELECT row_number() OVER (ORDER BY 1) FROM (SELECT 1 AS a UNION ALL SELECT 2) t", True),
        ("SELECT list(id) FROM (SELECT id FROM people UNION ALL SELECT id FROM people) t", True),
        ("SELECT id FROM people", False),
        ("SELECT sum(i) FROM (SELECT range AS i FROM range(1000000) UNION ALL SELECT 1) t", False),
    ],
)
def test_small_unions_are_for_one_thread(catalog: FolderCatalog, sql: str, serial: bool) -> None:
    assert [fragment.serial for fragment in plan(sql, catalog, PlanOptions()).fragments] == [serial]
