"""Answers of plans beside the kernel's own to the same text, over the same files."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.errors import PlannerError
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan

SPLIT_UP = PlanOptions(workers=3, distribute_rows=0, split_rows=150)
ALONE = PlanOptions()


def check(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    """The kernel's names, types and rows, from a plan for one worker and from one for three."""
    wanted = direct.sql(sql).to_arrow_table()
    for options in (ALONE, SPLIT_UP):
        made = plan(sql, catalog, options)
        got = run_plan(made)
        assert made.schema.names == wanted.schema.names == got.schema.names
        assert made.schema.types == wanted.schema.types
        assert sorted(map(repr, plan_rows(got))) == sorted(map(repr, plan_rows(wanted))), made.text


def refused_at(sql: str, error: type[PlannerError], place: str, catalog: FolderCatalog) -> str:
    """What is said of a statement that is refused with exactly that error, at that place of the user's text."""
    with pytest.raises(PlannerError) as caught:
        plan(sql, catalog, PlanOptions())
    assert type(caught.value) is error
    found = caught.value.position
    assert found is not None
    assert sql.split("\n")[found.line - 1][found.column - 1 :].startswith(place)
    return str(caught.value)
