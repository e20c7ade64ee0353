from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operators.results.result_samples import SmallStore, new_id


@pytest.fixture(name="small", params=["file", "memory"])
def _small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallStore]:
    """An empty store: every test that uses it runs on local disk and in memory."""
    small = SmallStore(request.param, str(tmp_path) if request.param == "file" else f"/{new_id()}")
    yield small
    small.store.close()
