"""A storage server that goes away and comes back: waiting, not a failure, for as long as the connection's patience lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import StorageAway
from operators.storage import Storage
from operators.storage.connections import Connection
from operators.storage.s3 import ASKING, READING, Patience, S3Backend
from tests.faulty_proxy import Faults, FaultyProxy
from tests.lakes import S3Lake, s3_connection
from tests.s3_server import S3Place

WELL = Faults(unavailable=0.0, silent=0.0, cut=0.0, delayed=0.0)
AWAY = {"answers 503": replace(WELL, unavailable=1.0), "is silent": replace(WELL, silent=1.0)}
AWAY_SECONDS = 5.0


@pytest.fixture(name="proxy")
def _proxy(s3: S3Place) -> Iterator[FaultyProxy]:
    with FaultyProxy(s3.endpoint_url, WELL, seed=1) as proxy:
        yield proxy


@pytest.fixture(name="lake")
def _lake(s3: S3Place, tmp_path: Path, proxy: FaultyProxy) -> Iterator[S3Lake]:
    (tmp_path / "data/t").mkdir(parents=True)
    for number in range(3):
        pq.write_table(pa.table({"n": range(number, 30_000, 3)}), tmp_path / f"data/t/{number}.parquet")
    lake = S3Lake(tmp_path / "data", tmp_path / "scratch", s3, proxy.url)
    yield lake
    lake.close()


@pytest.mark.parametrize("how", AWAY)
def test_a_server_that_is_away_for_a_while_costs_a_while(lake: S3Lake, proxy: FaultyProxy, how: str) -> None:
    assert lake.rows("t", "SELECT sum(n) FROM in_0") == [(sum(range(30_000)),)]
    proxy.faults = AWAY[how]
    back = threading.Timer(AWAY_SECONDS, setattr, (proxy, "faults", WELL))
    back.start()
    started = time.monotonic()
    assert lake.rows("t", "SELECT sum(n) FROM in_0") == [(sum(range(30_000)),)]
    assert time.monotonic() - started >= AWAY_SECONDS - 0.5
    assert sum(proxy.fired.values()) > 0
    back.join()


@pytest.mark.parametrize("how", AWAY)
def test_patience_has_an_end(lake: S3Lake, s3: S3Place, tmp_path: Path, proxy: FaultyProxy, how: str) -> None:
    impatient = replace(s3_connection("default", f"s3://{lake.bucket}/lake", s3, proxy.url), patience_seconds=5.0)
    storage = Storage([impatient], scratch_directory=tmp_path)
    lake.sync()
    assert len(storage.list_folder("default:t").files) == 3
    proxy.faults = AWAY[how]
    started = time.monotonic()
    with pytest.raises(StorageAway, match="the connection 'default'"):
        storage.list_folder("default:t")
    assert time.monotonic() - started < 5.5
    storage.close()


def following(attempts: int, silence: float, *, heard: bool, answering: bool = False, patience: Patience = ASKING) -> float | None:
    backend = S3Backend(Connection("lake", "s3://bucket", patience_seconds=20.0))
    backend._heard = 1.0 if heard else 0.0
    return backend._following(patience, attempts, silence, answering=answering)


def test_a_server_that_never_answered_is_given_up_soon() -> None:
    assert following(1, 1.6, heard=False) == 2.5
    assert following(2, 4.1, heard=False) is None
    assert following(6, 0.1, heard=False) is None


def test_one_that_has_answered_is_tried_until_its_patience_is_over() -> None:
    assert following(1, 1.6, heard=True) == 2.5
    assert following(40, 12.0, heard=True) == 8.0, "no longer than what is left"
    assert following(40, 18.4, heard=True) == pytest.approx(1.6)
    assert following(40, 18.6, heard=True) is None
    assert following(5, 28.0, heard=True, patience=READING) is None


def test_one_that_answers_others_has_something_against_this_request() -> None:
    assert following(5, 0.2, heard=True, answering=True) == 10.0
    assert following(6, 0.2, heard=True, answering=True) is None
