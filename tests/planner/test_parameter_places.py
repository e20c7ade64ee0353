"""Plans for several workers answer a parameter as plans for one do: fragments hold its value, whatever its type."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.errors import InvalidQuery
from tests.parameter_places import COLUMNS, PLACES, VALUES
from tests.planner.answers import ALONE, SPLIT_UP
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan

KINDS = ("bigint", "decimal", "timestamp", "list", "null integer")


@pytest.fixture(scope="module", name="table")
def _table(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("places")
    pq.write_table(pa.table(COLUMNS), root / "t.parquet", row_group_size=2)
    return FolderCatalog(Path(root))


@pytest.mark.parametrize("sql", [sql for sql in PLACES if " FROM t" in sql])
def test_a_parameter_is_the_same_on_several_workers(sql: str, table: FolderCatalog) -> None:
    def rows(options: PlanOptions, value: pa.Scalar) -> list[tuple[object, ...]] | str:
        try:
            return sorted(plan_rows(run_plan(plan(sql, table, options, [value] * sql.count("?")))), key=repr)
        except (InvalidQuery, duckdb.ConversionException):
            return "refused"

    for name in KINDS:
        value = VALUES[name].bound[0]
        assert repr(rows(SPLIT_UP, value)) == repr(rows(ALONE, value)), name
