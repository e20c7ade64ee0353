from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import Lake, S3Lake


@pytest.fixture(name="lake", params=["local", "s3"])
def _lake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake: every test that uses it runs on local disk and on S3."""
    root = tmp_path / "data"
    root.mkdir()
    scratch = tmp_path / "scratch"
    lake = Lake(root, scratch) if request.param == "local" else S3Lake(root, scratch, request.getfixturevalue("s3"))
    yield lake
    lake.close()
