"""Real server processes over one small lake, and DuckDB over the same files to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flight_server.client import Client
from tests.e2e.running_server import ROOT, RunningServer
from tests.e2e.served_lake import oracle_over, write_lake


@pytest.fixture(scope="session", name="lake")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    write_lake(root)
    return root


@pytest.fixture(scope="session", name="places")
def _places(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Paths that no message may show."""
    return [str(ROOT), str(lake), str(tmp_path_factory.getbasetemp())]


@pytest.fixture(scope="session", name="oracle")
def _oracle(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB over the lake, with Volley's semantics; not to be shared by threads, for which it has ``cursor()``."""
    with oracle_over(lake) as kernel:
        yield kernel


@pytest.fixture(scope="session", name="server")
def _server(lake: Path) -> Iterator[RunningServer]:
    """One worker with two threads. Tests leave it as they found it: running, and with nothing to do."""
    with RunningServer("--data", str(lake), "--threads", "2", "--memory", "2GB") as running:
        yield running
        assert running.stop() == 0, running.log


@pytest.fixture(scope="session", name="cluster")
def _cluster(lake: Path) -> Iterator[RunningServer]:
    """Three workers of one thread each. Tests leave all three alive."""
    with RunningServer("--data", str(lake), "--workers", "3", "--threads", "3", "--memory", "3GB", "--distribute", "always") as running:
        yield running
        assert running.stop() == 0, running.log


@pytest.fixture(name="client")
def _client(server: RunningServer) -> Iterator[Client]:
    with Client(server.uri) as connected:
        yield connected


@pytest.fixture(name="cluster_client")
def _cluster_client(cluster: RunningServer) -> Iterator[Client]:
    with Client(cluster.uri) as connected:
        yield connected
