"""Sample data in a bucket."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from flight_server.cli.sample_data import write_sample_data
from flight_server.settings.config import Config, ConnectionConfig
from operators.errors import StorageError
from tests.s3_server import S3Place


def test_a_bucket(s3: S3Place) -> None:
    filesystem = s3fs.S3FileSystem(
        key=s3.key,
        secret=s3.secret,
        client_kwargs={"endpoint_url": s3.endpoint_url, "region_name": s3.region},
        config_kwargs={"s3": {"addressing_style": "path"}},
    )
    filesystem.mkdir("samples")
    lake = ConnectionConfig("s3://samples", s3.endpoint_url, s3.region, s3.key, s3.secret, path_style=True)
    written = write_sample_data("lake:demo", "small", Config(connections={"lake": lake}))
    table = pq.read_table(pa.BufferReader(filesystem.cat_file("samples/demo/orders/part-0000.parquet")))
    assert table.num_rows == written[-1].rows // written[-1].files

    wrong = ConnectionConfig("s3://samples", s3.endpoint_url, s3.region, s3.key, "hush-hush", path_style=True)
    with pytest.raises(StorageError, match="'lake'") as refused:
        write_sample_data("lake:demo", "small", Config(connections={"lake": wrong}))
    assert "hush" not in str(refused.value)
