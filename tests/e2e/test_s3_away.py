"""A storage server that stands still: what needs it waits, and nothing else does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flight_server.client import Client
from tests.e2e.running_server import RunningServer
from tests.lakes import open_s3
from tests.s3_server import S3Server

BUCKET = "away"
FAR = "FROM 'lake:far.parquet'"


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[S3Server]:
    """A server of its own, with one file."""
    duckdb.sql("SELECT i, 2 * i AS j FROM range(1000) t(i)").write_parquet(str(tmp_path / "far.parquet"))
    with S3Server(tmp_path / "swift") as server:
        files = open_s3(server.place)
        files.mkdir(BUCKET)
        files.pipe({f"{BUCKET}/far.parquet": (tmp_path / "far.parquet").read_bytes()})
        yield server


@pytest.fixture(name="running")
def _running(store: S3Server, tmp_path: Path) -> Iterator[RunningServer]:
    """Tables and results on this machine's disk, and a connection to the store."""
    (tmp_path / "data").mkdir()
    duckdb.sql("SELECT i FROM range(10) t(i)").write_parquet(str(tmp_path / "data" / "near.parquet"))
    place = store.place
    settings = {
        "url": f"s3://{BUCKET}",
        "endpoint_url": place.endpoint_url,
        "region": place.region,
        "key": place.key,
        "secret": place.secret,
    }
    configuration = tmp_path / "volley.toml"
    configuration.write_text("[connections.lake]\n" + "".join(f'{name} = "{value}"\n' for name, value in settings.items()))
    with RunningServer(
        "--config", str(configuration), "--data", str(tmp_path / "data"), "--state", str(tmp_path / "state"), "--memory", "1GB"
    ) as running:
        yield running


def test_queries_that_need_nothing_of_it_run_meanwhile(running: RunningServer, store: S3Server) -> None:
    answers: list[int] = []

    def ask_far() -> None:
        with Client(running.uri) as client:
            answers.append(client.query(f"SELECT sum(j)::BIGINT AS s {FAR}")["s"][0].as_py())

    with Client(running.uri) as client:
        assert client.query(f"SELECT count(*) AS n {FAR}")["n"].to_pylist() == [1000]
        store.pause()
        waiting = [threading.Thread(target=ask_far) for _ in range(4)]
        try:
            for thread in waiting:
                thread.start()
            for _ in range(10):
                assert client.query("SELECT count(*) AS n FROM near")["n"].to_pylist() == [10]
                assert client.query("SELECT 1 AS one")["one"].to_pylist() == [1]
            assert client.query("SHOW TABLES")["name"].to_pylist() == ["near"]
            assert not answers
            assert all(thread.is_alive() for thread in waiting)
        finally:
            store.resume()
        for thread in waiting:
            thread.join(60)
    assert answers == [999_000] * 4
