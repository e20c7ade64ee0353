"""Runtime filters over a bucket: keys of a small table spare what is fetched of a large one, and the answer is the kernel's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flight_server.client import Client
from tests.e2e.answers import same_rows
from tests.e2e.running_server import RunningServer
from tests.e2e.test_s3_server import write_configuration
from tests.lakes import open_s3
from tests.s3_server import S3Place

BUCKET = "star"
DAYS = 40
ROWS = 204_800
GROUPS = 50
SALES = f"SELECT i // {ROWS // DAYS} AS day, i % 97 AS item, i % 1000 AS price, hash(i) AS note FROM range({ROWS}) t(i)"
TABLES = {
    "sales": f"({SALES}) TO '{{root}}/sales.parquet' (FORMAT parquet, ROW_GROUP_SIZE {ROWS // GROUPS})",
    "parted": f"(SELECT * REPLACE (day // 4 AS day) FROM ({SALES})) TO '{{root}}/parted' (FORMAT parquet, PARTITION_BY (day))",
    "days": f"(SELECT i::INTEGER AS day, i // 10 AS month, 'day ' || i AS name FROM range({DAYS}) t(i)) TO '{{root}}/days.parquet'",
    "months": "(SELECT i AS month, i // 2 AS half, i % 2 = 0 AS even FROM range(4) t(i)) TO '{root}/months.parquet'",
}


@dataclass
class Star:
    """A server over the bucket, and the kernel over the same files."""

    client: Client
    oracle: duckdb.DuckDBPyConnection

    def run(self, sql: str) -> dict[str, Any]:
        """Runs a query, sees that its answer is right, and returns its scan's operator, as EXPLAIN ANALYZE has it."""
        same_rows(self.client.query(sql), self.oracle.sql(sql).to_arrow_table())
        (text,) = self.client.query(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").column(0).to_pylist()
        operators = json.loads(text)["run"]["operators"]
        assert not any(operator["state"] == "failed" for operator in operators)
        (pruned,) = (operator for operator in operators if operator["filters"])
        return dict(pruned)


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("star")
    for written in TABLES.values():
        duckdb.execute(f"COPY {written.format(root=root)}")
    return root


@pytest.fixture(name="star", scope="module", params=["1", "2"])
def _star(request: pytest.FixtureRequest, s3: S3Place, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Star]:
    files, bucket = open_s3(s3), f"{BUCKET}-{request.param}"
    files.mkdir(bucket)
    files.pipe({f"{bucket}/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*.parquet")})
    folder = tmp_path_factory.mktemp("star-server")
    configuration = write_configuration(folder, s3, f"s3://{bucket}")
    oracle = duckdb.connect()
    for name in TABLES:
        oracle.execute(f"CREATE VIEW {name} AS FROM read_parquet('{root}/{name}{'/**/*' if name == 'parted' else ''}.parquet')")
    options = ("--config", str(configuration), "--state", str(folder / "state"), "--data", f"s3://{bucket}", "--workers", request.param)
    with RunningServer(*options, "--threads", "2", "--memory", "2GB", "--distribute", "always") as running, Client(running.uri) as client:
        yield Star(client, oracle)


def test_row_groups_without_a_key_are_not_fetched(star: Star) -> None:
    everything = star.run("SELECT sum(price), count(note) FROM sales JOIN days USING (day) WHERE name <> 'nothing'")
    few = star.run("SELECT sum(price), count(note) FROM sales JOIN days USING (day) WHERE name IN ('day 3', 'day 31')")
    (spared,) = few["filters"]
    assert (spared["used"], spared["keys"], spared["column"], spared["source"]) == (True, 2, "day", "days")
    assert spared["row_groups"] >= GROUPS - 6
    assert spared["rows"] >= ROWS * (GROUPS - 6) / GROUPS
    assert few["scanned_bytes"] < everything["scanned_bytes"] / 5


def test_keys_that_other_keys_narrow(star: Star) -> None:
    star_join = "sales JOIN days USING (day) JOIN months USING (month)"
    found = star.run(f"SELECT name, sum(price) AS s FROM {star_join} WHERE half = 1 AND even GROUP BY name ORDER BY name")
    (spared,) = (each for each in found["filters"] if each["column"] == "day")
    assert (spared["keys"], spared["source"]) == (10, "days")
    assert spared["row_groups"] >= GROUPS * 0.7


@pytest.mark.parametrize("condition", ["name = 'day 3'", "day IN (SELECT day FROM days WHERE name = 'day 3')"])
def test_partitions_without_a_key_are_not_opened(star: Star, condition: str) -> None:
    source = "parted JOIN days USING (day)" if condition.startswith("name") else "parted"
    found = star.run(f"SELECT count(*), sum(price) FROM {source} WHERE {condition}")
    (spared,) = found["filters"]
    assert (spared["keys"], spared["files"]) == (1, 9)


def test_no_keys_leave_nothing_to_read_and_the_aggregate_is_there(star: Star) -> None:
    found = star.run("SELECT count(*), sum(price) FROM sales JOIN days USING (day) WHERE name = 'never'")
    (spared,) = found["filters"]
    assert (spared["keys"], spared["row_groups"], found["scanned_bytes"]) == (0, GROUPS, 0)


def test_what_was_spared_is_told(star: Star) -> None:
    sql = "SELECT sum(price) FROM sales JOIN days USING (day) WHERE name = 'day 3'"
    planned = "\n".join(star.client.query(f"EXPLAIN {sql}").column(0).to_pylist())
    assert "runtime filter on day from days: exchange" in planned
    ran = "\n".join(star.client.query(f"EXPLAIN ANALYZE {sql}").column(0).to_pylist())
    assert "runtime filter on day from days: 1 keys spared" in ran
