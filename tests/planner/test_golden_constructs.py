"""How each construct of the table of divisibility is planned for three workers: one file a construct, several statements in it.

The files are under ``golden/constructs``. Write a title (``-- # …``) and a statement, rewrite them with ``--update-golden``, and read the
diff. The tables are small and always the same; of their files only row groups, rows and ranges matter, each value takes 8 bytes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from tests.planner.memory_catalog import FolderCatalog

FILES = sorted((Path(__file__).parent / "golden" / "constructs").glob("*.sql"))
CASE = re.compile(r"^-- # (?P<title>.+)\n(?P<sql>(?:(?!--).*\n)+)", re.MULTILINE)
OPTIONS = PlanOptions(workers=3, distribute_rows=1_000, start_bytes=0, splits_per_worker=2, split_rows=400, share_values=1)
MORE = {"final_shares": replace(OPTIONS, final_bytes=100_000, sort_bytes=100_000)}
"""Thresholds that these small tables are above."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    """orders and lines, written in the order of the orders' keys; customers and parts, by whose keys those lie anywhere; a few nations."""
    root = tmp_path_factory.mktemp("shop")

    def write(name: str, columns: dict[str, list[object]], groups: int) -> None:
        table = pa.table(columns)
        pq.write_table(table, root / f"{name}.parquet", row_group_size=-(-table.num_rows // groups))

    orders, lines = range(4_000), range(16_000)
    write("nations", {"n_key": list(range(25)), "n_name": [f"nation {n}" for n in range(25)]}, 1)
    write(
        "customers", {"c_key": list(range(1_200)), "c_name": [f"c{n}" for n in range(1_200)], "c_nation": [n % 25 for n in range(1_200)]}, 3
    )
    write(
        "parts", {"p_key": list(range(800)), "p_brand": [f"brand {n % 10}" for n in range(800)], "p_size": [n % 50 for n in range(800)]}, 2
    )
    write(
        "orders",
        {
            "o_key": list(orders),
            "o_customer": [n * 7 % 1_200 for n in orders],
            "o_day": [n // 10 for n in orders],
            "o_price": [n % 97 * 1.5 for n in orders],
            "o_state": ["open" if n % 3 else "shipped" for n in orders],
        },
        8,
    )
    write(
        "lines",
        {
            "l_order": [n // 4 for n in lines],
            "l_number": [n % 4 for n in lines],
            "l_part": [n * 11 % 800 for n in lines],
            "l_quantity": [n % 50 for n in lines],
            "l_price": [n % 89 * 1.25 for n in lines],
        },
        16,
    )
    return FolderCatalog(root, value_bytes=8)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_construct_is_planned_as_reviewed(path: Path, shop: FolderCatalog, pytestconfig: pytest.Config) -> None:
    cases = list(CASE.finditer(path.read_text()))
    assert cases, "a file has a case at least"
    shown = []
    for case in cases:
        sql = case["sql"].strip()
        text = plan(sql.rstrip(";"), shop, MORE.get(path.stem, OPTIONS)).text
        shown.append(f"-- # {case['title']}\n{sql}\n" + "".join(f"--   {line}\n" for line in text.split("\n")))
    current = "\n".join(shown)
    if pytestconfig.getoption("--update-golden", default=False):
        path.write_text(current)
    assert current == path.read_text()
