"""How many groups there will be: about as many as the kernel finds."""

from __future__ import annotations

import datetime
import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.ast import Ast
from planner.distribute.answer_sizes import AnswerSizes
from planner.distribute.scopes import bind_names
from planner.distribute.two_steps import two_steps
from planner.logical import Select, all_scans
from planner.splits import FileGroups, ScanExtent
from tests.planner.distribute.bound import bound
from tests.planner.memory_catalog import FolderCatalog

ROWS = 6_000


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("lake")
    pick = random.Random(5)
    first = datetime.date(1992, 1, 1)
    lines = {
        "l_order": pa.array([row // 4 for row in range(ROWS)], pa.int64()),
        "l_part": pa.array([pick.randrange(200) for _ in range(ROWS)], pa.int64()),
        "l_mode": pa.array([pick.choice(("AIR", "MAIL", "RAIL", "SHIP")) for _ in range(ROWS)]),
        "l_day": pa.array([first + datetime.timedelta(pick.randrange(2500)) for _ in range(ROWS)]),
    }
    orders = {
        "o_key": pa.array(range(ROWS // 4), pa.int64()),
        "o_customer": pa.array([pick.randrange(300) for _ in range(ROWS // 4)], pa.int64()),
        "o_note": pa.array([f"note {pick.random()}" for _ in range(ROWS // 4)]),
    }
    pq.write_table(pa.table(lines), root / "lines.parquet", row_group_size=1000)
    pq.write_table(pa.table(orders), root / "orders.parquet", row_group_size=500)
    return FolderCatalog(root)


def sizes_of(sql: str, lake: FolderCatalog) -> tuple[AnswerSizes, Select, list[Ast]]:
    """What is known of a query's tables, its block, and its items."""
    query = bound(sql, lake)
    extents = {}
    for scan in all_scans(query):
        (file,) = scan.table.files
        extents[scan.name] = ScanExtent((FileGroups(file, lake.row_groups(file), 0),))
    assert isinstance(query.body, Select)
    items = [next(iter(item.values())) for item in query.body.ast["projection"]]
    return AnswerSizes(bind_names(query), extents), query.body, [item.get("expr", item) for item in items]


COUNTED = [
    "SELECT l_part FROM lines",
    "SELECT l_mode, l_part FROM lines",
    "SELECT l_order FROM lines",
    "SELECT o_customer, l_mode FROM lines JOIN orders ON l_order = o_key",
    "SELECT o_key, o_customer, o_note FROM orders",
    "SELECT extract(year FROM l_day) FROM lines",
    "SELECT year(l_day), month(l_day) FROM lines",
    "SELECT l_part > 50, CASE WHEN l_mode = 'AIR' THEN 'fast' ELSE 'slow' END FROM lines",
    "SELECT y, m FROM (SELECT year(l_day) AS y, l_mode AS m FROM lines) AS d",
    "WITH c AS (SELECT l_part AS p FROM lines) SELECT p FROM c",
]


@pytest.mark.parametrize("sql", COUNTED)
def test_groups_are_about_as_many_as_there_are(sql: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sizes, select, keys = sizes_of(sql, lake)
    ((real,),) = kernel.sql(f"SELECT count(*) FROM (SELECT DISTINCT * FROM ({sql}))").fetchall()
    groups, _ = sizes.groups(select, keys, ROWS)
    assert real / 3 <= groups <= 3 * real


AT_MOST = [
    ("SELECT l_order, o_note FROM lines, orders WHERE l_order = o_key", ROWS),
    ("SELECT n FROM (SELECT l_part, count(*) AS n FROM lines GROUP BY l_part) AS d", (2 * ROWS) ** 0.5),
]
"""Columns that hang together are taken for independent; what groups are counted to is bounded by their rows alone."""


@pytest.mark.parametrize(("sql", "most"), AT_MOST)
def test_groups_are_no_more_than_they_can_be(sql: str, most: float, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sizes, select, keys = sizes_of(sql, lake)
    ((real,),) = kernel.sql(f"SELECT count(*) FROM (SELECT DISTINCT * FROM ({sql}))").fetchall()
    assert real <= sizes.groups(select, keys, ROWS)[0] <= most


def test_what_nobody_knows_may_be_another_in_each_row(lake: FolderCatalog) -> None:
    sizes, select, keys = sizes_of("SELECT x FROM lines, range(10) AS r(x)", lake)
    assert sizes.groups(select, keys, ROWS)[0] == ROWS


class NoWriter:
    """For blocks whose items have names."""

    def expression(self, ast: Ast) -> str:
        raise AssertionError("nothing is written")

    def column_name(self, ast: Ast) -> str | None:
        raise AssertionError("nothing is called by its text")


def answered(sql: str, shares: int, lake: FolderCatalog) -> tuple[float, float]:
    """About how many rows the shares answer with, and how many are left."""
    query = bound(sql, lake)
    sizes, _, _ = sizes_of(sql, lake)
    names = bind_names(query)
    sizes = AnswerSizes(names, {scan.name: sizes.extents[scan.name] for scan in all_scans(query)})
    size = sizes.of(two_steps(query, names, NoWriter(), "in_"), all_scans(query)[:1], shares)
    assert size is not None
    return size.rows, size.groups


def test_each_share_answers_with_the_groups_that_it_meets(lake: FolderCatalog) -> None:
    """All of few, one for each row of many; and where the table is written in their order, each group once."""
    rows, groups = answered("SELECT l_part, count(*) AS n FROM lines GROUP BY l_part", 6, lake)
    assert 0.9 * 6 * groups < rows <= 6 * groups
    rows, groups = answered("SELECT l_order, count(*) AS n FROM lines GROUP BY l_order", 6, lake)
    assert groups <= rows < 1.5 * groups
    rows, _ = answered("SELECT l_part, l_day, l_mode, count(*) AS n FROM lines GROUP BY ALL", 6, lake)
    assert 0.8 * ROWS < rows <= ROWS


def test_distinct_arguments_are_answered_and_are_no_groups(lake: FolderCatalog) -> None:
    rows, groups = answered("SELECT l_mode, count(DISTINCT l_part) AS n FROM lines GROUP BY l_mode", 6, lake)
    assert 4 <= groups <= 8
    assert rows > 2000
