from __future__ import annotations

from collections.abc import Iterator

import pytest

from flight_server.client import Client
from tests.flight_server.fake_service import Served


@pytest.fixture(name="served")
def _served() -> Iterator[Served]:
    with Served() as server:
        yield server


@pytest.fixture(name="client")
def _client(served: Served) -> Iterator[Client]:
    with Client(served.uri) as connected:
        yield connected
