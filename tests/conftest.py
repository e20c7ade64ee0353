from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.s3_server import S3Place, S3Server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-parameters", action="store_true", help="try values of all types in all places of parameters (two minutes)")


@pytest.fixture(name="s3", scope="session")
def _s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Place]:
    """An S3 server for the whole session, without buckets."""
    if importlib.util.find_spec("swift") is None:
        pytest.skip("the S3 server for tests is not installed (pip install swift)")
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server.place
