from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.storage.kinds import KINDS, other_kind
from tests.lakes import Lake, MemoryLake, S3Lake


@pytest.fixture(name="lake", params=["local", "s3", "memory"])
def _lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """An empty lake: every test that uses it runs on local disk, on S3, and on a third kind of storage that is one entry in a table."""
    root = tmp_path / "data"
    root.mkdir()
    scratch = tmp_path / "scratch"
    monkeypatch.setitem(KINDS, "memory", other_kind)
    match request.param:
        case "local":
            lake = Lake(root, scratch)
        case "s3":
            lake = S3Lake(root, scratch, request.getfixturevalue("s3"))
        case _:
            lake = MemoryLake(root, scratch)
    yield lake
    lake.close()
