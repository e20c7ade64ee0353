"""Names are equal where the kernel says so: it folds A to Z, and no other letter."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import plan
from planner.quoting import folded
from tests.planner.answers import ALONE, SPLIT_UP, check
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan, scans

STATEMENTS = [
    "SELECT Ä, ä FROM umlauts ORDER BY Ä",
    "SELECT count(*) FROM umlauts WHERE Ä = 10",
    "SELECT count(*) FROM umlauts WHERE ä = 2",
    "SELECT N, n FROM umlauts WHERE Ä = 11 AND ä = 2",
    "SELECT u.Ä FROM umlauts AS u JOIN pairs AS p ON u.Ä = p.ä WHERE p.Ä = 1",
    "SELECT ä, Ä FROM pairs WHERE ä > 10",
    "SELECT Ö.ä, ö.n FROM pairs AS Ö JOIN umlauts AS ö ON Ö.ä = ö.Ä WHERE Ö.Ä < 3",
    "SELECT * FROM pairs JOIN umlauts USING (ä)",
    "SELECT max(Ä) FROM (SELECT Ä FROM pairs) WHERE Ä > 0",
    "WITH q AS (SELECT ä AS Ä FROM pairs) SELECT Ä FROM q",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """umlauts: partitions by ``ä`` beside a column ``Ä``; pairs: columns ``ä`` and ``Ä``."""
    root = tmp_path_factory.mktemp("folded-names")
    for key in (1, 2):
        part = root / "umlauts" / f"ä={key}"
        part.mkdir(parents=True)
        pq.write_table(pa.table({"Ä": [10, 11, 12], "n": [key * 100 + n for n in range(3)]}), part / "part.parquet")
    pq.write_table(pa.table({"ä": [10, 11, 12, 1], "Ä": [1, 2, 3, 4]}), root / "pairs.parquet", row_group_size=2)
    return root


@pytest.mark.parametrize("sql", STATEMENTS)
def test_answers_are_the_kernels(sql: str, folder: Path) -> None:
    catalog = FolderCatalog(folder)
    check(sql, catalog, direct_kernel(catalog))


def test_a_partition_is_ruled_out_by_its_own_key_alone(folder: Path) -> None:
    (scan,) = scans(plan("SELECT n FROM umlauts WHERE ä = 2", FolderCatalog(folder), SPLIT_UP))
    assert len({split.file.path for split in scan.splits}) == 1
    (scan,) = scans(plan("SELECT n FROM umlauts WHERE Ä = 11", FolderCatalog(folder), SPLIT_UP))
    assert len({split.file.path for split in scan.splits}) == 2


def test_a_cte_hides_a_table_of_its_own_name_only(folder: Path) -> None:
    answer = run_plan(plan("WITH PAIRS AS (SELECT 7 AS x) SELECT * FROM pairs", FolderCatalog(folder), ALONE))
    assert plan_rows(answer) == [(7,)]


@pytest.mark.parametrize(("name", "wanted"), [("Ab_1", "ab_1"), ("ÄB", "Äb"), ("İK", "İk"), ("\N{KELVIN SIGN}", "\N{KELVIN SIGN}")])
def test_folding_is_the_kernels(name: str, wanted: str) -> None:
    assert folded(name) == wanted
    connection = duckdb.connect()
    connection.register("t", pa.table({name: [1]}))
    assert connection.sql(f'SELECT "{wanted}" FROM t').fetchall() == [(1,)]
