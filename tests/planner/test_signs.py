"""Signs in all company: printed back, a statement means what the kernel makes of the user's own text, or is refused."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.errors import VolleyError
from tests.planner.memory_catalog import FolderCatalog

SIGNS = ["", "-", "- -", "- - -", "+ -", "- +", "-+-", "~ ", "~ -", "- ~ ", "~ - -", "NOT -"]
BODIES = [
    *("2", "2 ^ 2", "x", "x ^ 2", "x ^ y ^ 2", "x * y", "2 * x ^ 2", "x::double ^ 2", "abs(x) ^ 2", "(x + 1) ^ 2", "x ** 2", "x - - y"),
    *("x - -y ^ 2", "x + - - y ^ 2", "1 - - - x", "[3, 4][1]", "2 ^ - x", "2 ^ - - x", "x - y", "x * y + 1", "x < y", "x | y", "x || y"),
]
LEGAL_REFUSALS = ("- ~", "~")


@pytest.fixture(scope="module")
def kernel() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET integer_division = true")
    return connection


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_mean_what_the_kernel_means(sign: str, kernel: duckdb.DuckDBPyConnection, catalog: FolderCatalog) -> None:
    compared = 0
    for body in BODIES:
        sql = f"SELECT {sign}{body} AS value FROM (SELECT 3 AS x, 5 AS y)"
        expected = _rows(kernel, sql)
        try:
            got = _rows(kernel, plan(sql, catalog, PlanOptions()).fragments[-1].sql)
        except VolleyError:
            assert expected is None or sign.startswith(LEGAL_REFUSALS), f"{sql} was refused"
            continue
        assert got == expected, sql
        compared += 1
    assert compared or sign.startswith(LEGAL_REFUSALS), "nothing was compared"


def _rows(kernel: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]] | None:
    try:
        rows: list[tuple[object, ...]] = kernel.execute(sql).fetchall()
    except duckdb.Error:
        return None
    return rows
