"""What each rule of the optimizer does to a plan: one file a rule, several statements in it, each with its scans before and after.

The files are under ``golden/rules``. Write a title (``-- # …``) and a statement, rewrite them with ``--update-golden``, and read the diff.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from planner import PlanOptions, prepare
from planner.limits import DEFAULT_LIMITS
from planner.logical import QueryBlock, Scan, Select, all_scans, rewrite_scans, rewrite_selects
from planner.optimize import RULES, RULES_BEFORE_OPENING, Rule
from planner.optimize.prune_row_groups import keep_row_groups
from planner.query import QueryPlanner
from planner.render import print_expression
from tests.planner.memory_catalog import FolderCatalog

FOLDER = Path(__file__).parent / "golden" / "rules"
CASE = re.compile(r"^-- # (?P<title>.+)\n(?P<sql>(?:(?!--).*\n)+)", re.MULTILINE)


def files(scan: Scan) -> str:
    """The files that are left, by their partitions."""
    if len(scan.table.files) == scan.files_total:
        return "all files"
    kept = (" ".join(f"{key}={value}" for key, value in file.partitions) for file in scan.table.files)
    return f"{len(scan.table.files)} of {scan.files_total} files: {', '.join(kept)}"


def predicates(scan: Scan) -> str:
    """What is known of every row that matters."""
    return " AND ".join(print_expression(term, 10) for term in scan.predicates) or "all rows"


def columns(scan: Scan) -> str:
    """What there is to read."""
    return ", ".join(column.name for column in scan.columns)


def needed(scan: Scan) -> str:
    """The columns that are read."""
    return ", ".join(column.name for column in scan.needed) or "no column"


def opened(query: QueryBlock, catalog: FolderCatalog) -> QueryBlock:
    """The query with the columns of its tables."""

    def open_scans(select: Select) -> Select:
        return rewrite_scans(select, lambda scan: replace(scan, columns=catalog.columns(scan.table)))

    return rewrite_selects(query, open_scans)


Show = Callable[[Scan], str]
SHOWN: dict[str, tuple[Show, Show]] = {
    "prune_partitions": (files, files),
    "push_filters": (predicates, predicates),
    "prune_columns": (columns, needed),
}
"""What there is to see of a scan before and after a rule."""


def listed(query: QueryBlock, show: Show) -> list[str]:
    return [f"{scan.name} ({scan.alias}): {show(scan)}" for scan in all_scans(query)]


def before_and_after(sql: str, wanted: str, catalog: FolderCatalog) -> tuple[list[str], list[str]]:
    """The scans of a statement as the rule finds them, and as it leaves them."""
    planner = QueryPlanner(prepare(sql, DEFAULT_LIMITS).outline, catalog, PlanOptions())
    query = planner.binder.query(planner.surveyed.ast["Query"])
    rules: tuple[Rule | None, ...] = (*RULES_BEFORE_OPENING, None, *RULES)
    for rule in rules:
        before = query
        query = opened(query, catalog) if rule is None else rule(query)
        if rule is not None and rule.__name__ == wanted:
            first, then = SHOWN[wanted]
            return listed(before, first), listed(query, then)
    assert wanted == "prune_row_groups", "it works on the scans that the other rules leave"
    return listed(query, lambda scan: row_groups(scan, catalog, kept=False)), listed(
        query, lambda scan: row_groups(scan, catalog, kept=True)
    )


def row_groups(scan: Scan, catalog: FolderCatalog, *, kept: bool) -> str:
    """The row groups of a scan's file, or those of them that the rule leaves."""
    groups = catalog.row_groups(scan.table.files[0])
    assert groups is not None
    return ", ".join(str(group.index) for group in (keep_row_groups(scan, groups) if kept else groups)) or "none"


def test_each_rule_has_its_file() -> None:
    names = {rule.__name__ for rule in (*RULES_BEFORE_OPENING, *RULES)} | {"prune_row_groups"}
    assert {path.stem for path in FOLDER.glob("*.sql")} == names


@pytest.mark.parametrize("rule", [*SHOWN, "prune_row_groups"])
def test_the_rule_does_as_reviewed(rule: str, catalog: FolderCatalog, pytestconfig: pytest.Config) -> None:
    path = FOLDER / f"{rule}.sql"
    cases = list(CASE.finditer(path.read_text()))
    assert len(cases) >= 5
    shown = []
    for case in cases:
        before, after = before_and_after(case["sql"].strip().rstrip(";"), rule, catalog)
        lines = ["-- before", *(f"--   {line}" for line in before), "-- after", *(f"--   {line}" for line in after)]
        shown.append(f"-- # {case['title']}\n{case['sql']}" + "\n".join(lines) + "\n")
    current = "\n".join(shown)
    if pytestconfig.getoption("--update-golden", default=False):
        path.write_text(current)
    assert current == path.read_text()
