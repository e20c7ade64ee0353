from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flight_server.cli.sample_data import ROWS_PER_BATCH, SampleDataError, batches, data_root, plans, write_sample_data
from flight_server.settings.config import Config, ConnectionConfig
from operators.errors import StorageError


def test_the_tables_are_as_promised(tmp_path: Path) -> None:
    written = write_sample_data(str(tmp_path), "small", Config())
    assert [table.table for table in written] == ["sample", "wide", "customers", "orders"]
    sample = pq.read_table(tmp_path / "sample")
    assert sample.schema.equals(pa.schema([("id", pa.int32()), ("value1", pa.string()), ("value2", pa.float32())]))
    assert len(list((tmp_path / "sample").iterdir())) == written[0].files > 1
    assert pc.count_distinct(sample["id"]).as_py() == sample.num_rows == written[0].rows
    assert pc.min(pc.utf8_length(pq.read_table(tmp_path / "wide")["value1"])).as_py() > 200


def test_every_order_has_its_customer(tmp_path: Path) -> None:
    write_sample_data(str(tmp_path), "small", Config())
    orders, customers = pq.read_table(tmp_path / "orders"), pq.read_table(tmp_path / "customers")
    joined = orders.join(customers, "customer_id", join_type="inner")
    assert joined.num_rows == orders.num_rows
    assert pc.all(pc.greater(orders["amount"].cast(pa.float64()), 0)).as_py()


def test_the_same_seed_makes_the_same_data() -> None:
    plan = plans("small")[0]
    first, second, other = (pa.Table.from_batches(batches(plan, 1, seed)) for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_huge_data_is_made_batch_by_batch() -> None:
    plan = plans("huge")[0]
    assert plan.rows == 100_000_000
    first = next(batches(plan, plan.files - 1))
    assert first.num_rows == ROWS_PER_BATCH
    assert first["id"][0].as_py() == plan.rows * (plan.files - 1) // plan.files


def test_progress_counts_every_row(tmp_path: Path) -> None:
    counted: dict[str, int] = {}
    written = write_sample_data(
        str(tmp_path), "small", Config(), wrote=lambda table, rows: counted.update({table: counted.get(table, 0) + rows})
    )
    assert counted == {table.table: table.rows for table in written}


def test_a_connection_by_name_or_by_its_url(tmp_path: Path) -> None:
    config = Config(connections={"lake": ConnectionConfig(f"file://{tmp_path}")})
    write_sample_data("lake:by-name", "small", config)
    assert data_root("lake:by-name", config) == f"file://{tmp_path}/by-name"
    write_sample_data(f"file://{tmp_path}/by-url", "small", config)
    assert (tmp_path / "by-name" / "orders").is_dir()
    assert (tmp_path / "by-url" / "orders").is_dir()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SampleDataError, match="cannot write to"):
        write_sample_data(str(tmp_path / "file"), "small", Config())
    with pytest.raises(StorageError, match="gopher://"):
        write_sample_data("gopher://x", "small", Config())
