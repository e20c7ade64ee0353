"""Plans as text, one statement a file, with one worker and with three. Rewrite them with ``--update-golden`` and read the diff."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner import PlanOptions, plan
from tests.planner.memory_catalog import FolderCatalog

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.sql"))
MARK = "-- plan, workers = "


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_plan_is_as_reviewed(path: Path, data: Path, pytestconfig: pytest.Config) -> None:
    # What the writer of the files makes of their bytes may change: estimates do not.
    catalog = FolderCatalog(data, value_bytes=8)
    written = path.read_text()
    sql = written.partition(MARK)[0].strip()
    shown = [sql, ""]
    for workers in (1, 3):
        text = plan(sql, catalog, PlanOptions(workers=workers, distribute_rows=500, split_rows=250, share_values=1, start_bytes=0)).text
        shown += [f"{MARK}{workers}", *(f"-- {line}" for line in text.split("\n"))]
    current = "\n".join(shown) + "\n"
    if pytestconfig.getoption("--update-golden", default=False):
        path.write_text(current)
    assert current == path.read_text()
