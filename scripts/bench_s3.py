#!/usr/bin/env python
"""TPC-H from S3: what each query fetches beside what it needs, and its time beside pyarrow.dataset's and DuckDB's httpfs's.

Uses a server that it starts itself (OpenStack Swift, ``pip install swift``), or the one given with --endpoint. ``needed`` is the
compressed size of the column chunks that the plan's scans read. pyarrow.dataset only reads the columns of each scan into memory; it
runs no query. DuckDB's httpfs extension takes part where --httpfs-python names an interpreter that has it
(``pip install duckdb==1.4.4 duckdb-ext-httpfs``). With --many-files N a table of N small files in hive partitions is timed too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import s3fs
from bench_setup import embedded_duckdb, rows_of, seconds, server, tpch_data, tpch_parser, tpch_queries

from flight_server.client import Client
from operators.kernel.kernel import Kernel
from operators.scan.catalog import FileCatalog
from operators.storage import Connection, Storage
from planner import PlanOptions, plan
from planner.physical import ScanInput

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

HTTPFS_CHILD = """
import json, pathlib, sys, time
import duckdb
settings = json.loads(sys.stdin.readline())
connection = duckdb.connect(config={"threads": settings["threads"]})
folders = [pathlib.Path(entry) / "duckdb_ext" for entry in sys.path]
files = [str(file) for folder in folders for file in folder.rglob("httpfs.duckdb_extension")]
connection.execute(f"LOAD '{files[0]}'" if files else "LOAD httpfs")
connection.execute(settings["secret"])
connection.execute("SET integer_division = true")
# Every run reads from the server, as Volley's do.
connection.execute("SET enable_external_file_cache = false")
connection.execute("SET enable_progress_bar = false")
for table, url in settings["tables"].items():
    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{url}')")
for line in sys.stdin:
    started = time.perf_counter()
    rows = len(connection.execute(json.loads(line)).fetchall())
    print(json.dumps([time.perf_counter() - started, rows]), flush=True)
"""


@dataclass(frozen=True)
class Place:
    """An S3 server, and the bucket for the benchmark's data."""

    endpoint_url: str
    key: str
    secret: str
    region: str
    bucket: str


def main() -> int:
    arguments = parse_arguments()
    data = tpch_data(arguments)
    with ExitStack() as stack:
        place = stack.enter_context(s3_place(arguments))
        prefix = f"tpch-{arguments.scale:g}"
        upload(place, data, prefix)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        configuration = write_configuration(folder, place)
        url = f"s3://{place.bucket}/{prefix}"
        options = ["--config", str(configuration), "--threads", str(arguments.threads), "--state", str(folder / "state")]
        uri, _ = stack.enter_context(server(url, *options))  # type: ignore[arg-type]
        client = stack.enter_context(Client(uri))
        needed = Needed(data, folder / "scratch")
        httpfs = stack.enter_context(httpfs_child(arguments, place, prefix, data))
        wrong = queries(arguments, client, needed, httpfs, embedded_duckdb(data, arguments.threads), dataset_reader(place, prefix))
        if arguments.many_files:
            many_files(arguments.many_files, client, place)
    return 1 if wrong else 0


def parse_arguments() -> argparse.Namespace:
    parser = tpch_parser(__doc__, runs=2)
    parser.add_argument("--queries", type=Path, help="folder with q01.sql … q22.sql")
    parser.add_argument("--endpoint", help="URL of an S3 server with the bucket; else one is started")
    parser.add_argument("--key", default="")
    parser.add_argument("--secret", default="")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--bucket", default="volley-bench")
    parser.add_argument("--httpfs-python", help="an interpreter with DuckDB and its httpfs extension")
    parser.add_argument("--many-files", type=int, default=0)
    return parser.parse_args()


@contextmanager
def s3_place(arguments: argparse.Namespace) -> Iterator[Place]:
    if arguments.endpoint:
        yield Place(arguments.endpoint, arguments.key, arguments.secret, arguments.region, arguments.bucket)
        return
    from tests.s3_server import S3Server

    with tempfile.TemporaryDirectory() as folder, S3Server(Path(folder)) as started:
        place = started.place
        yield Place(place.endpoint_url, place.key, place.secret, place.region, arguments.bucket)


def s3_files(place: Place) -> s3fs.S3FileSystem:
    config = {
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "s3": {"addressing_style": "path"},
    }
    client = {"region_name": place.region}
    return s3fs.S3FileSystem(
        key=place.key,
        secret=place.secret,
        endpoint_url=place.endpoint_url,
        client_kwargs=client,
        config_kwargs=config,
        use_listings_cache=False,
    )


def upload(place: Place, data: Path, prefix: str) -> None:
    files = s3_files(place)
    if not files.exists(place.bucket):
        files.mkdir(place.bucket)
    for file in sorted(data.glob("*.parquet")):
        target = f"{place.bucket}/{prefix}/{file.name}"
        if not files.exists(target) or files.size(target) != file.stat().st_size:
            files.put_file(str(file), target)


def write_configuration(folder: Path, place: Place) -> Path:
    file = folder / "volley.toml"
    file.write_text(
        f'[connections.default]\nurl = "s3://{place.bucket}"\nendpoint_url = "{place.endpoint_url}"\nregion = "{place.region}"\n'
        f'key = "{place.key}"\nsecret = "{place.secret}"\n'
    )
    return file


class Needed:
    """The column chunks that a query's scans need, by planning it over the same files on local disk."""

    def __init__(self, data: Path, scratch: Path) -> None:
        storage = Storage([Connection("default", str(data))], scratch_directory=scratch)
        self._catalog = FileCatalog(storage, Kernel(1, 256 << 20, scratch, storage.local_roots()), ["default:"])

    def scans(self, sql: str) -> list[ScanInput]:
        fragments = plan(sql, self._catalog.session(), PlanOptions()).fragments
        return [scan for fragment in fragments for scan in fragment.inputs if isinstance(scan, ScanInput)]

    def bytes(self, sql: str) -> int:
        """Each scan's chunks, also where two scans read the same."""
        return sum(self._scan_bytes(scan) for scan in self.scans(sql))

    def _scan_bytes(self, scan: ScanInput) -> int:
        total = 0
        for split in scan.splits:
            groups = self._catalog.session().row_groups(split.file) or ()
            chosen = [group for group in groups if split.row_groups is None or group.index in split.row_groups]
            total += sum(group.column_bytes[column.name] for group in chosen for column in scan.columns)
        return total


def dataset_reader(place: Place, prefix: str) -> Callable[[list[ScanInput]], int]:
    scheme, _, netloc = place.endpoint_url.partition("://")
    files = pafs.S3FileSystem(
        access_key=place.key,
        secret_key=place.secret,
        endpoint_override=netloc,
        scheme=scheme,
        region=place.region,
        force_virtual_addressing=False,
    )

    def read(scans: list[ScanInput]) -> int:
        rows = 0
        for scan in scans:
            dataset = ds.dataset(f"{place.bucket}/{prefix}/{scan.table}.parquet", filesystem=files, format="parquet")
            rows += dataset.to_table(columns=[column.name for column in scan.columns]).num_rows
        return rows

    return read


@contextmanager
def httpfs_child(
    arguments: argparse.Namespace, place: Place, prefix: str, data: Path
) -> Iterator[Callable[[str], tuple[float, int]] | None]:
    if not arguments.httpfs_python:
        yield None
        return
    scheme, _, netloc = place.endpoint_url.partition("://")
    secret = (
        f"CREATE SECRET (TYPE s3, KEY_ID '{place.key}', SECRET '{place.secret}', ENDPOINT '{netloc}', REGION '{place.region}', "
        f"URL_STYLE 'path', USE_SSL {str(scheme == 'https').lower()})"
    )
    tables = {file.stem: f"s3://{place.bucket}/{prefix}/{file.name}" for file in data.glob("*.parquet")}
    command = [arguments.httpfs_python, "-c", HTTPFS_CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        send(child.stdin, {"threads": arguments.threads, "secret": secret, "tables": tables})

        def run(sql: str) -> tuple[float, int]:
            assert child.stdin is not None
            assert child.stdout is not None
            send(child.stdin, sql)
            took, rows = json.loads(child.stdout.readline())
            return took, rows

        yield run
        child.stdin.close()


def send(pipe: IO[str], message: object) -> None:
    pipe.write(json.dumps(message) + "\n")
    pipe.flush()


def queries(
    arguments: argparse.Namespace,
    client: Client,
    needed: Needed,
    httpfs: Callable[[str], tuple[float, int]] | None,
    embedded: object,
    dataset: Callable[[list[ScanInput]], int],
) -> list[str]:
    print(f"{'query':6} {'needed MB':>9} {'fetched':>8} {'ratio':>6} {'requests':>8} {'Volley s':>9} {'dataset s':>9} {'httpfs s':>9}")
    totals = [0.0] * 5
    wrong = []

    def ask(sql: str, answer: list[pa.Table]) -> None:
        answer.append(client.query(sql))

    for name, sql in tpch_queries(arguments.queries).items():
        answer: list[pa.Table] = []
        volley = min(seconds(partial(ask, sql, answer)) for _ in range(arguments.runs))
        if rows_of(answer[-1]) != rows_of(embedded.sql(sql).to_arrow_table()):  # type: ignore[attr-defined]
            wrong.append(name)
        fetched, requests = cost(client)
        scans = needed.scans(sql)
        read = min(seconds(partial(dataset, scans)) for _ in range(arguments.runs))
        theirs = min(httpfs(sql)[0] for _ in range(arguments.runs)) if httpfs is not None else float("nan")
        figures = (needed.bytes(sql) / 1e6, fetched / 1e6, volley, read, theirs)
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
        show(name, figures, requests)
    show("total", tuple(totals), 0)
    print("all answers equal DuckDB's on local files" if not wrong else f"WRONG ANSWERS: {wrong}")
    return wrong


def show(name: str, figures: tuple[float, ...], requests: int) -> None:
    needed, fetched, volley, read, theirs = figures
    ratio = fetched / needed if needed else 1.0
    print(f"{name:6} {needed:9.2f} {fetched:8.2f} {ratio:6.3f} {requests or '':>8} {volley:9.3f} {read:9.3f} {theirs:9.3f}", flush=True)


def cost(client: Client) -> tuple[int, int]:
    """Bytes and requests of the newest query."""
    newest = max(client.queries(), key=lambda status: status.submitted_at)
    status = client.status(newest.query_id)
    assert status is not None
    producers = [operator for operator in status.operators if operator.kind == "producer"]
    return sum(operator.scanned_bytes for operator in producers), sum(operator.requests for operator in producers)


def many_files(count: int, client: Client, place: Place) -> None:
    """A table of ``count`` files in hundreds of hive partitions: its listing, and a query on one partition."""
    files = s3_files(place)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": range(100)}), sink)
    body = sink.getvalue().to_pybytes()
    partitions = max(1, count // 20)
    objects = {f"{place.bucket}/many/t/part={number % partitions:05}/{number}.parquet": body for number in range(count)}
    started = time.perf_counter()
    files.pipe(objects)
    print(f"{count} files in {partitions} partitions uploaded in {time.perf_counter() - started:.1f} s")
    pattern = f"s3://{place.bucket}/many/t/**/*.parquet"
    sql = f"SELECT count(*), sum(n) FROM read_files('{pattern}') WHERE part = 7"
    for _ in range(2):
        took = seconds(lambda: print(client.query(sql).to_pylist()))
        print(f"one partition: {took:.2f} s, {cost(client)[1]} requests for its chunks")
        lines = [line for row in client.query(f"EXPLAIN {sql}").column(0).to_pylist() for line in row.splitlines()]
        print(next(line.strip() for line in lines if " scan " in line))


if __name__ == "__main__":
    raise SystemExit(main())
