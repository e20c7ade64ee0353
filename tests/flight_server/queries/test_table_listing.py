from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.protocol.messages import TableListRequest
from flight_server.queries.table_listing import TableListing
from operators.storage import Listing, Storage
from tests.lakes import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    root = tmp_path / "data"
    root.mkdir()
    for name in ("a", "b", "c"):
        pq.write_table(pa.table({name: [1]}), root / f"{name}.parquet")
    opened = Lake(root, tmp_path / "scratch")
    yield opened
    opened.close()


def test_tables_come_with_their_schemas(lake: Lake) -> None:
    (lake.root / "b.parquet").write_bytes(b"not Parquet")
    listing = TableListing(lake.file_catalog)
    found = {name: None if schema is None else schema.names for name, schema in listing.schemas(None)}
    assert found == {"a": ["a"], "b": None, "c": ["c"]}
    assert [name for name, _ in listing.schemas("_")] == ["a", "b", "c"]
    assert list(listing.schemas("nothing%")) == []
    assert [table.name for table in listing.tables(TableListRequest("c", details=False))] == ["c"]


def test_a_root_is_listed_once_for_all_schemas(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    list_folder = Storage.list_folder

    def counted(self: Storage, path: str) -> Listing:
        listed.append(path)
        return list_folder(self, path)

    monkeypatch.setattr(Storage, "list_folder", counted)
    assert len(list(TableListing(lake.file_catalog).schemas(None))) == 3
    assert listed == ["default:"]


def test_a_name_that_means_two_is_listed_and_told_and_harms_no_other(lake: Lake) -> None:
    (lake.root / "b.csv").write_text("b\n1\n")
    listing = TableListing(lake.file_catalog)
    found = {table.name: table.error for table in listing.tables(TableListRequest(details=True))}
    assert (found["a"], found["c"]) == (None, None)
    assert found["b"] is not None
    assert "default:b.csv and default:b.parquet" in found["b"]
    assert [name for name, schema in listing.schemas(None) if schema is None] == ["b"]
