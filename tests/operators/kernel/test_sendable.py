"""Values that Arrow has no word for: as the kernel's SQL shows them."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from operators.errors import KernelError
from operators.kernel.kernel import Kernel
from operators.kernel.sendable import MAX_INTERVAL_HOURS
from planner.arrow_types import sent_type

AS_TEXT = [
    "340282366920938463463374607431768211455::UHUGEINT",
    "170141183460469231731687303715884105728::UHUGEINT",
    "7::UHUGEINT",
    "TIMETZ '12:34:56.789+05:30'",
    "TIMETZ '23:59:59-15:59'",
    "'10101'::BIT",
    "'123456789012345678901234567890123456789012345678901234567890'::BIGNUM",
    "-12::BIGNUM",
]


@pytest.fixture(name="kernel", scope="module")
def _kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    kernel = Kernel(2, 256 << 20, tmp_path_factory.mktemp("kernel"), {})
    yield kernel
    kernel.close()


def answer(kernel: Kernel, sql: str) -> pa.Table:
    with kernel.run(sql, {}) as run:
        assert run.schema == kernel.result_schema(sql, {}), "what clients are told beforehand"
        return pa.Table.from_batches(list(run), run.schema)


@pytest.mark.parametrize("value", AS_TEXT)
def test_a_value_without_an_arrow_type_is_the_text_that_sql_shows(kernel: Kernel, value: str) -> None:
    (truth,) = duckdb.connect().execute(f"SELECT ({value})::VARCHAR").fetchall()
    found = answer(kernel, f"SELECT {value} AS v, NULLIF({value}, {value}) AS n")
    assert found.schema.types == [pa.string(), pa.string()]
    assert found.to_pylist() == [{"v": truth[0], "n": None}]


def test_inside_of_others_too_and_names_stay(kernel: Kernel) -> None:
    sql = """SELECT 1 AS a, TIMETZ '12:00:00+02' AS a, {'BIT': '1'::BIT, 't': [TIMETZ '12:00:00+02'], 'TIME WITH TIME ZONE': 1} AS "s ""1",
        MAP {'101'::BIT: 2} AS m"""
    found = answer(kernel, sql)
    assert found.schema.names == ["a", "a", 's "1', "m"]
    values = [column[0].as_py() for column in found.columns]
    assert values == [1, "12:00:00+02", {"BIT": "1", "t": ["12:00:00+02"], "TIME WITH TIME ZONE": 1}, [("101", 2)]]


def test_the_order_stays(kernel: Kernel) -> None:
    found = answer(kernel, "SELECT range::UHUGEINT AS n FROM range(300000) ORDER BY (range * 7919) % 300007")
    truth = duckdb.connect().execute("SELECT range FROM range(300000) ORDER BY (range * 7919) % 300007").fetchall()
    assert found.column("n").cast(pa.int64()).to_pylist() == [number for (number,) in truth]


@pytest.mark.parametrize("hours", [MAX_INTERVAL_HOURS, -MAX_INTERVAL_HOURS, 0, None])
def test_an_interval_is_exact(kernel: Kernel, hours: int | None) -> None:
    text = "NULL::INTERVAL" if hours is None else f"INTERVAL '14 months -3 days' + to_hours({hours}) + INTERVAL '1 microsecond'"
    (found,) = answer(kernel, f"SELECT {text} AS i").column(0).to_pylist()
    assert found == (None if hours is None else pa.MonthDayNano([14, -3, hours * 3_600 * 10**9 + 1_000]))


@pytest.mark.parametrize("hours", [MAX_INTERVAL_HOURS + 1, -MAX_INTERVAL_HOURS - 1])
def test_an_interval_that_arrow_cannot_count_is_refused(kernel: Kernel, hours: int) -> None:
    with pytest.raises(KernelError, match="an interval of more than 2,562,046 hours has no Arrow value: CAST it AS VARCHAR"):
        answer(kernel, f"SELECT to_hours({hours}) AS i")


def test_what_arrow_can_say_stays(kernel: Kernel) -> None:
    sql = "SELECT 1::HUGEINT AS h, TIMESTAMPTZ '2020-01-01' AS t, TIME '12:00' AS c, 'a'::ENUM('a', 'BIT') AS e"
    assert answer(kernel, sql).schema.types[:3] == [pa.decimal128(38, 0), pa.timestamp("us", "UTC"), pa.time64("us")]
    for kind in ("TIMESTAMP WITH TIME ZONE", "ENUM('BIT', 'x''BIT', 'BIT')", 'STRUCT("BIT" INTEGER, BIT VARCHAR)', "DECIMAL(38,0)"):
        assert sent_type(kind) == kind
    assert sent_type('STRUCT("BIT" BIT, BIT BIT[3])') == 'STRUCT("BIT" VARCHAR, BIT VARCHAR[3])'
    assert sent_type("MAP(BIT, UHUGEINT)[]") == "MAP(VARCHAR, VARCHAR)[]"
