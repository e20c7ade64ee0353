"""The same server over a bucket: what it answers, what it stores there, and what it says when the bucket is not there."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from flight_server.client import Client, ClientError
from flight_server.protocol.messages import Cursor
from tests.e2e.answers import same_rows
from tests.e2e.running_server import RunningServer, run
from tests.e2e.served_lake import oracle_over
from tests.lakes import open_s3
from tests.s3_server import S3Place

BUCKET = "served"
KINDS = 1000
TPCH_QUERIES = Path(__file__).parents[2].parent / "shared" / "conformance" / "tpch"
TPCH_TABLES = 8


@dataclass(frozen=True)
class Bucket:
    """A bucket with the lake in it, and a configuration whose default connection it is."""

    place: S3Place
    configuration: Path
    state: Path

    def server(self, *options: str) -> RunningServer:
        return RunningServer("--config", str(self.configuration), "--state", str(self.state), "--threads", "2", "--memory", "2GB", *options)


@pytest.fixture(name="bucket", scope="module")
def _bucket(s3: S3Place, lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Bucket:
    files = open_s3(s3)
    files.mkdir(BUCKET)
    files.pipe({f"{BUCKET}/lake/{path.relative_to(lake)}": path.read_bytes() for path in lake.rglob("*.parquet")})
    folder = tmp_path_factory.mktemp("s3-server")
    return Bucket(s3, write_configuration(folder, s3, f"s3://{BUCKET}"), folder / "state")


@pytest.fixture(name="served", scope="module")
def _served(bucket: Bucket) -> Iterator[RunningServer]:
    with bucket.server("--data", f"s3://{BUCKET}/lake") as running:
        yield running
        assert running.stop() == 0, running.log


def write_configuration(folder: Path, place: S3Place, url: str, **changes: str) -> Path:
    settings = {"url": url, "endpoint_url": place.endpoint_url, "region": place.region, "key": place.key, "secret": place.secret, **changes}
    file = folder / "volley.toml"
    file.write_text("[connections.default]\n" + "".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    return file


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM odd ORDER BY id",
        "SELECT count(*) FROM events",
        "SELECT person, sum(amount) AS total FROM events WHERE id BETWEEN 100000 AND 180000 GROUP BY person ORDER BY 2 DESC, 1 LIMIT 20",
        "SELECT kind, count(*), min(day), max(maybe) FROM events JOIN kinds USING (kind_id) GROUP BY kind ORDER BY kind",
        "SELECT age, count(*) FROM events JOIN people USING (person) WHERE maybe IS NULL GROUP BY age ORDER BY age",
        "SELECT id, person FROM events WHERE id % 50000 = 7 ORDER BY id",
    ],
)
def test_answers_are_those_of_the_same_files_on_disk(served: RunningServer, oracle: duckdb.DuckDBPyConnection, sql: str) -> None:
    with Client(served.uri) as client:
        same_rows(client.query(sql), oracle.cursor().sql(sql).to_arrow_table())


def test_read_files_by_url_by_connection_and_by_path(served: RunningServer) -> None:
    with Client(served.uri) as client:
        for pattern in (f"s3://{BUCKET}/lake/events/*.parquet", "default:lake/events/part-*.parquet", "lake/events/**"):
            assert client.query(f"SELECT count(*) FROM read_files('{pattern}')").column(0).to_pylist() == [480_000]


TEXTS = {
    "plain.csv": b"id,name\n1,a\n2,b\n",
    "packed.csv.gz": gzip.compress(b"id,name\n1,a\n2,b\n"),
    "lines.jsonl": b'{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n',
    "array.json.gz": gzip.compress(b'[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]'),
}


@pytest.fixture(name="texts", scope="module")
def _texts(bucket: Bucket) -> None:
    open_s3(bucket.place).pipe({f"{BUCKET}/texts/{name}": content for name, content in TEXTS.items()})


@pytest.fixture(name="keys")
def _keys(s3: S3Place) -> dict[str, str]:
    """What the usual variables say to a command without a configuration."""
    named = {"AWS_ACCESS_KEY_ID": s3.key, "AWS_SECRET_ACCESS_KEY": s3.secret, "AWS_REGION": s3.region}
    return {"AWS_ENDPOINT_URL": s3.endpoint_url, **named}


@pytest.mark.usefixtures("texts")
def test_texts_of_a_bucket_are_tables_each(keys: dict[str, str]) -> None:
    roots = {name.partition(".")[0]: f"s3://{BUCKET}/texts/{name}" for name in TEXTS}
    options = [word for root in roots.values() for word in ("--data", root)]
    with RunningServer(*options, **keys) as running, Client(running.uri) as client:
        assert [table.name for table in client.tables()] == sorted(roots)
        for table, root in roots.items():
            found = client.query(f"SELECT a.* FROM {table} AS a JOIN '{root}' USING (id, name) ORDER BY id")
            assert found.to_pylist() == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], table
        assert client.query("SELECT count(*) FROM 'plain.csv'").column(0).to_pylist() == [2]
        assert running.stop() == 0, running.log


@pytest.mark.usefixtures("texts")
def test_nothing_beside_one_file_of_a_bucket_is_reached(keys: dict[str, str]) -> None:
    with RunningServer("--data", f"s3://{BUCKET}/lake/kinds.parquet", **keys) as running, Client(running.uri) as client:
        assert [table.name for table in client.tables()] == ["kinds"]
        assert client.query("SELECT count(*) FROM '*.parquet'").column(0).to_pylist() == [KINDS]
        for other in (f"s3://{BUCKET}/lake/odd.parquet", "odd.parquet", "lake/odd.parquet", f"s3://{BUCKET}/texts/plain.csv", "sub/*"):
            with pytest.raises(ClientError, match="is outside the connections"):
                client.query(f"FROM '{other}'")
        assert running.stop() == 0, running.log


def test_files_of_a_bucket_beside_each_other_and_a_folder_with_the_name_of_one(bucket: Bucket, keys: dict[str, str]) -> None:
    files = open_s3(bucket.place)
    files.copy(f"{BUCKET}/lake/kinds.parquet", f"{BUCKET}/written.parquet/part-0.parquet")
    roots = [f"s3://{BUCKET}/lake/kinds.parquet", f"s3://{BUCKET}/lake/people.parquet", f"s3://{BUCKET}/written.parquet"]
    options = [word for root in roots for word in ("--data", root)]
    with RunningServer(*options, **keys) as running, Client(running.uri) as client:
        assert [table.name for table in client.tables()] == ["kinds", "part-0", "people"]
        assert client.query('SELECT count(*) FROM kinds JOIN "part-0" USING (kind_id)').column(0).to_pylist() == [KINDS]
        assert running.stop() == 0, running.log


def test_a_file_of_a_bucket_that_is_not_there_is_told(keys: dict[str, str]) -> None:
    root = f"s3://{BUCKET}/lake/kind.parquet"
    ended = run("query", "SHOW TABLES", "--data", root, folder=None, stdin=None, **keys)
    said = f"error: there is nothing at the data root {root}\nCheck its name; that of a folder may end with /.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


def test_one_file_below_a_connection_and_workers_that_share_it(bucket: Bucket) -> None:
    with bucket.server("--data", f"s3://{BUCKET}/lake/kinds.parquet", "--workers", "2") as running, Client(running.uri) as client:
        assert [table.name for table in client.tables()] == ["kinds"]
        assert client.query("SELECT count(*) FROM kinds").column(0).to_pylist() == [KINDS]
        assert running.stop() == 0, running.log


def test_explain_analyze_says_what_was_fetched(served: RunningServer) -> None:
    with Client(served.uri) as client:
        plan = "\n".join(client.query("EXPLAIN ANALYZE SELECT sum(amount) FROM events").column(0).to_pylist())
    assert "fetched in" in plan
    assert "not-so-secret" not in plan


def test_results_are_in_the_bucket_and_outlive_the_server(bucket: Bucket, oracle: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT id, person, amount FROM events WHERE id < 300000 ORDER BY id"
    with bucket.server("--data", f"s3://{BUCKET}/lake") as first, Client(first.uri) as client:
        query_id = client.submit(sql).query_id
        whole = whole_result(client, query_id)
        part, following = client.row_group(query_id, Cursor(0, 1, 0))
        assert first.stop() == 0
    assert open_s3(bucket.place).find(f"{BUCKET}/results/{query_id}")
    with bucket.server("--data", f"s3://{BUCKET}/lake") as second, Client(second.uri) as client:
        same_rows(client.row_group(query_id, Cursor(0, 1, 0))[0], part)
        same_rows(whole_result(client, query_id), whole)
        assert second.stop() == 0
    assert following is not None
    same_rows(whole, oracle.cursor().sql(sql).to_arrow_table())


def whole_result(client: Client, query_id: str) -> pa.Table:
    return pa.Table.from_batches([batch for batch, _ in client.read(query_id)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endpoint_url": "http://127.0.0.1:1"}, "cannot be reached"),
        ({"secret": "wrong-secret"}, "the key or the secret is wrong"),
        ({"url": "s3://no-such-bucket"}, "no-such-bucket"),
    ],
)
def test_a_server_over_a_broken_connection_does_not_start(s3: S3Place, tmp_path: Path, changes: dict[str, str], message: str) -> None:
    settings = {"url": f"s3://{BUCKET}", **changes}
    configuration = write_configuration(tmp_path, s3, **settings)
    started = time.monotonic()
    done = run("serve", "--port", "0", "--config", str(configuration), "--state", str(tmp_path / "state"))
    assert done.returncode != 0
    assert time.monotonic() - started < 15
    assert "'default'" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "wrong-secret" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_tpch_from_a_bucket(bucket: Bucket, tmp_path: Path) -> None:
    generator = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent))
    queries = sorted(TPCH_QUERIES.glob("q*.sql"))
    if generator is None or not queries:
        pytest.skip("needs tpchgen-cli and the conformance folder beside the checkout")
    subprocess.run([generator, "parquet", "-s", "0.1", "--output-dir", str(tmp_path / "tpch")], check=True, capture_output=True)
    files = open_s3(bucket.place)
    for path in (tmp_path / "tpch").glob("*.parquet"):
        files.put_file(str(path), f"{BUCKET}/tpch/{path.name}")
    with oracle_over(tmp_path / "tpch") as truth, bucket.server("--data", f"s3://{BUCKET}/tpch") as running, Client(running.uri) as client:
        assert len(client.tables()) == TPCH_TABLES
        for query in queries:
            sql = query.read_text()
            answer = client.query(sql)
            expected = truth.sql(sql).to_arrow_table()
            assert answer.num_rows == expected.num_rows, query.stem
            assert rounded(answer) == rounded(expected), query.stem
        assert running.stop() == 0


def rounded(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows, with floats to ten digits: the order of a sum's terms is nobody's promise."""
    columns = [column.to_pylist() for column in table.columns]
    return [tuple(float(f"{value:.10g}") if isinstance(value, float) else value for value in row) for row in zip(*columns, strict=True)]
