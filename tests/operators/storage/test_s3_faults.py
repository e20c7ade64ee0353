"""S3 through a proxy that misbehaves: every answer is right, or one clear error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import OperatorError, StorageError
from operators.scan.scans import prepare_scan
from operators.storage import s3 as s3_storage
from planner.physical import Split
from tests.faulty_proxy import Faults, FaultyProxy
from tests.lakes import S3Lake
from tests.s3_server import S3Place

ROWS = 20_000
QUERIES = 30


@pytest.fixture(name="impatient", autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent server costs each test tenths of seconds; one on a busy machine, which is slow throughout, does not count as gone."""
    patience = s3_storage.Patience((0.5, 1.0, 2.0, 4.0, 8.0, 8.0), 60.0)
    monkeypatch.setattr(s3_storage, "ASKING", patience)
    monkeypatch.setattr(s3_storage, "READING", patience)


def open_lake(s3: S3Place, tmp_path: Path, proxy: FaultyProxy) -> S3Lake:
    (tmp_path / "data/t").mkdir(parents=True)
    for number in range(3):
        columns = {f"c{index}": [row * (index + 1) + number for row in range(ROWS)] for index in range(6)}
        pq.write_table(pa.table(columns), tmp_path / f"data/t/{number}.parquet", row_group_size=4000, use_dictionary=False)
    return S3Lake(tmp_path / "data", tmp_path / "scratch", s3, proxy.url)


@pytest.fixture(name="proxy")
def _proxy(s3: S3Place) -> Iterator[FaultyProxy]:
    with FaultyProxy(s3.endpoint_url, Faults(), seed=9) as proxy:
        yield proxy


def test_answers_are_right_or_one_clear_error(s3: S3Place, tmp_path: Path, proxy: FaultyProxy, capsys: pytest.CaptureFixture[str]) -> None:
    lake = open_lake(s3, tmp_path, proxy)
    rng = random.Random(3)
    right = 0
    errors: list[str] = []
    for _ in range(QUERIES):
        columns = tuple(f"c{index}" for index in sorted(rng.sample(range(6), 2)))
        groups = tuple(sorted(rng.sample(range(5), rng.randint(1, 5))))
        try:
            scan = lake.scan("t", columns)
            splits = [Split(split.file, groups) for split in scan.splits]
            with prepare_scan(scan, splits, lake.storage) as prepared:
                found = lake.run(f"SELECT sum({columns[0]}), sum({columns[1]}), count(*) FROM in_0", in_0=prepared.relation)
        except OperatorError as error:
            errors.append(str(error))
            continue
        rows = [row for group in groups for row in range(group * 4000, group * 4000 + 4000)]
        sums = [sum(row * (int(name[1]) + 1) + number for row in rows for number in range(3)) for name in columns]
        assert found == [(*sums, 3 * len(rows))]
        right += 1
    lake.close()
    with capsys.disabled():
        print(f"\nfaults fired in {proxy.requests} requests: {dict(proxy.fired)}; {right} right answers, {len(errors)} clear errors")
    assert sum(proxy.fired.values()) >= proxy.requests * 0.05
    assert set(proxy.fired) == {"unavailable", "silent", "cut", "delayed"}
    assert all("'default'" in error for error in errors)
    assert right >= QUERIES * 0.95


@pytest.mark.parametrize("fault", ["unavailable", "cut"])
def test_a_server_that_only_fails_is_told_as_one_clear_error(s3: S3Place, tmp_path: Path, fault: str) -> None:
    shares = {"unavailable": 0.0, "silent": 0.0, "cut": 0.0, "delayed": 0.0, fault: 1.0}
    with FaultyProxy(s3.endpoint_url, Faults(**shares), seed=1) as proxy:
        lake = open_lake(s3, tmp_path, proxy)
        with pytest.raises(StorageError, match="'default'"):
            lake.catalog.table_names()
        assert proxy.fired[fault] >= 2
        lake.close()


def test_writes_survive_faults(s3: S3Place, tmp_path: Path) -> None:
    with FaultyProxy(s3.endpoint_url, Faults(unavailable=0.1, silent=0.0, cut=0.0, delayed=0.05), seed=4) as proxy:
        lake = open_lake(s3, tmp_path, proxy)
        filesystem, root = lake.storage.filesystem()
        for number in range(30):
            filesystem.pipe_file(f"{root}/results/{number}", b"x" * 1000)
        assert proxy.fired["unavailable"] > 0
        assert len(lake.files.ls(f"{lake.bucket}/lake/results")) == 30
        lake.close()
