"""PySpark by JDBC: partitions, conditions, types, a large result, ends. It is fetched once, beside the packages of the tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.flight as flight
import pytest

from flight_server.cli.sample_data import write_sample_data
from flight_server.process.launch import embedded
from flight_server.protocol.messages import QueryLine, decode
from flight_server.settings.config import Config
from tests.clients.all_types import ALL_TYPES, row_of
from tests.clients.conftest import BIG_ROWS
from tests.clients.endless import END_SECONDS, endless
from tests.clients.fetched_packages import fetched_packages
from tests.clients.jdbc_driver import driver_jar
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary
from tests.e2e.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first run fetches half a gigabyte

PROGRAM = Path(__file__).with_name("spark_jdbc.py")
PAGE = Path(__file__).parents[2] / "docs" / "clients" / "spark.md"
RUN_SECONDS = 280
TAKEN = "SELECT a.i, b.s FROM big AS a, big AS b"

DECIMAL, TIMESTAMP = "decimal(20,0)", "timestamp"
AS_SPARK_HAS_THEM: dict[str, tuple[str, object]] = {
    **{"boolean": ("boolean", True), "tinyint": ("int", -128), "smallint": ("int", -(2**15)), "integer": ("bigint", -(2**31))},
    **{"bigint": (DECIMAL, str(2**63 - 1)), "float": ("float", 1.5), "double": ("double", 0.1), "decimal": ("decimal(9,2)", "12.34")},
    **{"hugeint": ("decimal(38,0)", "-12345678901234567890123456789012345678")},
    **{name: ("string", ALL_TYPES[name][1]) for name in ("uhugeint", "bignum", "varchar", "uuid", "json", "enum", "bit", "timetz")},
    **{"blob": ("binary", "b'\\x00\\xff'"), "date": ("date", "2024-02-29"), "time": (TIMESTAMP, "1970-01-01 12:30:00.123000")},
    **{"timestamp": (TIMESTAMP, "2024-02-29 12:30:00.123456"), "timestamp_s": (TIMESTAMP, "2024-02-29 12:30:00")},
    **{"timestamp_ms": (TIMESTAMP, "2024-02-29 12:30:00.123000"), "timestamp_ns": (TIMESTAMP, "2024-02-29 12:30:00.123456")},
    "nothing": ("void", None),
    # The driver reads unsigned integers as signed ones of the same width, but those of 16 bits.
    **{"utinyint": ("int", -1), "usmallint": ("int", 65535), "uinteger": ("bigint", -1), "ubigint": (DECIMAL, "-1")},
}
REFUSED = ("timestamptz", "interval", "list", "array", "struct", "map", "union")


@pytest.fixture(name="page", scope="module")
def _page() -> str:
    """The page's program, with the jar that is there instead of Maven's."""
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    by_maven, by_jar = '"spark.jars.packages", "org.apache.arrow:flight-sql-jdbc-driver:18.3.0"', f'"spark.jars", "{driver_jar()}"'
    assert by_maven in block
    # It runs for half a minute: what the second compiler makes of it comes too late, and the web page is seen by nobody.
    hasty = {"ui.enabled": "false", "driver.host": "127.0.0.1", "driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    more = "".join(f'\n    .config("spark.{option}", "{value}")' for option, value in hasty.items())
    return str(block).replace(f"({by_maven})", f"({by_jar}){more}")


@pytest.fixture(name="told", scope="module")
def _told(page: str, uri: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program printed, by name; ``page``: the lines of the page's own program. One run of it for all tests."""
    folder = tmp_path_factory.mktemp("spark")
    packages = fetched_packages("spark")
    write_sample_data(str(folder / "volley-data"), "small", Config())
    asked = {
        "types": row_of(*AS_SPARK_HAS_THEM),
        "refused types": {name: row_of(name) for name in REFUSED},
        "large": [*LARGE, ONE_LARGE_ROW],
        **{"timed out": endless("spark"), "cancelled": endless("spark_cancelled"), "taken": TAKEN},
    }
    with embedded(Config(data_roots=(str(folder / "volley-data"),), threads=1, memory_bytes=512 << 20)) as samples:
        program = page.replace("127.0.0.1:8815", samples.partition("://")[2])
        # -S: without the packages of the tests, whose pandas is newer than Spark knows.
        command = [sys.executable, "-S", str(PROGRAM), program, uri, json.dumps(asked)]
        ended = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": str(packages)}, cwd=folder, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    told: dict[str, Any] = {"page": [line for line in lines if not line.startswith("== ")]}
    for line in lines:
        if line.startswith("== "):
            told.update(json.loads(line.removeprefix("== ")))
    return told


def test_the_pages_program(told: dict[str, Any]) -> None:
    count, *table = told["page"]
    assert int(count) > 0
    assert sorted(line.split("|")[1].strip() for line in table if "|" in line) == ["delivered", "open", "returned", "shipped", "status"]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("partitions", [4, BIG_ROWS, str(BIG_ROWS * (BIG_ROWS - 1) // 2), "row 99999"]),
        ("filtered", ["row 7", "row 8"]),
        ("predicates", 20),
        ("custom schema", [3, "row 3"]),
        ("names", ["Ab c", 'x"y']),
        ("catalog", [["9", "row 9"], ["8", "row 8"]]),
        ("columns", [["i", DECIMAL], ["s", "string"]]),
    ],
)
def test_answers(told: dict[str, Any], name: str, answer: object) -> None:
    assert told[name] == answer


def test_values_arrive(told: dict[str, Any]) -> None:
    assert told["types"] == {name: list(told) for name, told in AS_SPARK_HAS_THEM.items()}


@pytest.mark.parametrize("name", REFUSED)
def test_types_that_spark_does_not_know(told: dict[str, Any], name: str) -> None:
    assert "UNRECOGNIZED_SQL_TYPE" in str(told[name]), "Spark reads this type now: docs/clients/spark.md says it does not"


@pytest.mark.parametrize("number", range(3), ids=["many rows", "long texts", "one large row"])
def test_results_of_any_size_are_read_with_the_defaults(told: dict[str, Any], number: int) -> None:
    numbers = told[f"large:{number}"]
    assert " ".join(str(cell) for cell in numbers) == summary((*LARGE, ONE_LARGE_ROW)[number])


def lines_at(uri: str) -> list[QueryLine]:
    with flight.connect(uri) as connection:
        return [decode(result.body, QueryLine) for result in connection.do_action(flight.Action("query.list", b"{}"))]


def test_partitions_and_conditions_are_part_of_what_spark_asks(told: dict[str, Any], uri: str) -> None:
    assert told["partitions"]
    asked = {" ".join(line.sql.split()) for line in lines_at(uri)}
    parts = ('"i" < 100000 or "i" is null', '"i" >= 100000 AND "i" < 200000', '"i" >= 200000 AND "i" < 300000', '"i" >= 300000')
    where = """(((("i" >= 7) AND ("i" <= 8)) OR ("s" = 'it''s')))"""
    assert asked >= {f'SELECT "i","s" FROM big WHERE {part}' for part in parts}
    assert asked >= {f'SELECT "s" FROM big WHERE {where} AND ({part})' for part in parts}
    assert asked >= {"SELECT 1 FROM big WHERE i < 10", 'SELECT "i","s" FROM big WHERE ("i" IS NOT NULL) AND ("i" = 3)'}
    assert 'SELECT "i","s" FROM "main"."big" WHERE ("i" IS NOT NULL) AND ("i" < 10) ORDER BY "i" DESC NULLS LAST LIMIT 2' in asked


@pytest.mark.parametrize(("name", "sql"), [("timed out", endless("spark")), ("taken", TAKEN), ("cancelled", endless("spark_cancelled"))])
def test_queries_end_by_a_time_out_by_reading_no_further_and_with_the_session(told: dict[str, Any], uri: str, name: str, sql: str) -> None:
    answers = {"timed out": "Query timed out after 1 SECONDS", "taken": "3", "cancelled": "cancelled as part of cancellation"}
    assert answers[name] in str(told[name])

    def ended() -> list[str]:
        states: list[str] = [line.state for line in lines_at(uri) if f"({sql})" in line.sql and "WHERE 1=0" not in line.sql]
        return [] if "running" in states else states

    assert eventually(ended, END_SECONDS, "the query has ended") == ["killed"]


def test_what_does_not_work_says_why(told: dict[str, Any]) -> None:
    assert "there is no table 'nowhere'" in str(told["unknown table"])
    assert "Memory was leaked" in str(told["tables"]), "Spark closes what it asks now: docs/clients/spark.md says it does not"
