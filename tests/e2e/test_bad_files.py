"""Files that are not what they should be: each error names the file, no other query suffers, and the files may be mended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from planner.errors import Status
from tests.e2e.refusals import no_insides
from tests.e2e.running_server import ROOT, RunningServer
from tests.e2e.waiting import eventually

ROWS = 300_000
"""Enough to be spread over workers."""
MANY_FILES = 40
SLOW = "length(md5(repeat(m.y, 400))) = 32"
"""True of each row, after some microseconds: a file of the table ``many`` takes some tenths of a second."""


@pytest.fixture(scope="module", name="swamp")
def _swamp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of files that are damaged or do not go together."""
    root = tmp_path_factory.mktemp("swamp")
    kernel = duckdb.connect()

    def write(sql: str, path: str) -> Path:
        file = root / path
        file.parent.mkdir(exist_ok=True)
        kernel.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 20000)")
        return file

    rows = f"SELECT range AS x, 'y' || range AS y FROM range({ROWS})"
    good = write(rows, "good.parquet").read_bytes()
    (root / "truncated.parquet").write_bytes(good[: len(good) // 2])
    (root / "empty.parquet").touch()
    (root / "text.parquet").write_text("x,y\n1,2\n" * 1000)
    (root / "tiny.parquet").write_bytes(b"PAR1")
    for name in ("corrupt/a", "corrupt/b"):
        write(rows, f"{name}.parquet")
    damaged = bytearray(good)
    damaged[4:20_000] = bytes(20_000 - 4)
    (root / "corrupt" / "b.parquet").write_bytes(bytes(damaged))
    for number in range(MANY_FILES):
        write(f"SELECT range AS x, 'y' || range AS y FROM range({number} * 20000, {number} * 20000 + 20000)", f"many/{number:02}.parquet")
    for name in ("half/a", "half/b"):
        write(rows, f"{name}.parquet")
    (root / "half" / "b.parquet").write_bytes(good[:-10_000])
    write("SELECT 1 AS x, 'one' AS y", "reordered/a.parquet")
    write("SELECT 'two' AS y, 2 AS x", "reordered/b.parquet")
    write("SELECT 1 AS x, 'one' AS y", "lacking/a.parquet")
    write("SELECT 2 AS x", "lacking/b.parquet")
    write("SELECT 3 AS x, 'three' AS y, 3.5 AS z", "lacking/c.parquet")
    write("SELECT 1 AS x", "clash/a.parquet")
    write("SELECT {'k': 1} AS x", "clash/b-has-a-struct.parquet")
    write("SELECT 1::INTEGER AS x", "wider/a.parquet")
    write("SELECT 5000000000::BIGINT AS x", "wider/b.parquet")
    return root


@pytest.fixture(scope="module", name="client", params=["1", "3"], ids=["one worker", "three workers"])
def _client(request: pytest.FixtureRequest, swamp: Path) -> Iterator[Client]:
    with RunningServer(
        "--data", str(swamp), "--workers", request.param, "--threads", "3", "--memory", "3GB", "--distribute", "always"
    ) as server:
        with Client(server.uri) as client:
            yield client
        assert server.stop() == 0, server.log


@pytest.mark.parametrize(
    ("table", "file"),
    [
        ("truncated", "truncated.parquet"),
        ("empty", "empty.parquet"),
        ("text", "text.parquet"),
        ("tiny", "tiny.parquet"),
        ("corrupt", "b.parquet"),
        ("half", "b.parquet"),
    ],
)
@pytest.mark.parametrize(
    "sql", ["SELECT * FROM {}", "SELECT count(*), sum(x), max(y) FROM {}", "SELECT g.x FROM good g JOIN {} t USING (x) WHERE t.y > 'y9'"]
)
def test_damaged_files(client: Client, swamp: Path, table: str, file: str, sql: str) -> None:
    with pytest.raises(ClientError) as told:
        client.query(sql.format(table))
    no_insides(str(told.value), [str(ROOT), str(swamp)])
    assert told.value.status is Status.INVALID_ARGUMENT
    assert file in str(told.value)
    assert client.query("SELECT count(*) AS n FROM good").to_pylist() == [{"n": ROWS}]


def test_damaged_tables_are_listed_beside_the_good_ones(client: Client) -> None:
    tables = {table.name: table for table in client.tables()}
    assert {"good", "empty", "truncated", "clash", "reordered"} <= set(tables)
    assert tables["good"].error is None
    assert tables["good"].rows == ROWS
    assert "truncated.parquet" in str(tables["truncated"].error)


def test_the_order_of_columns_does_not_matter(client: Client) -> None:
    assert client.query("SELECT x, y FROM reordered ORDER BY x").to_pylist() == [{"x": 1, "y": "one"}, {"x": 2, "y": "two"}]


def test_a_column_that_a_file_lacks_is_null(client: Client) -> None:
    rows = client.query("SELECT x, y, z::DOUBLE AS z FROM lacking ORDER BY x").to_pylist()
    assert rows == [{"x": 1, "y": "one", "z": None}, {"x": 2, "y": None, "z": None}, {"x": 3, "y": "three", "z": 3.5}]
    assert client.query("SELECT count(*) AS n FROM lacking WHERE y IS NULL").to_pylist() == [{"n": 1}]


def test_types_that_clash_name_the_file(client: Client, swamp: Path) -> None:
    with pytest.raises(ClientError) as told:
        client.query("SELECT * FROM clash")
    no_insides(str(told.value), [str(swamp)])
    assert told.value.status is Status.INVALID_ARGUMENT
    assert "b-has-a-struct.parquet" in str(told.value)


def test_a_wider_type_holds_all(client: Client) -> None:
    assert client.query("SELECT sum(x)::BIGINT AS s FROM wider").to_pylist() == [{"s": 5_000_000_001}]


def test_new_files_appear_and_old_ones_go(client: Client, swamp: Path) -> None:
    folder = swamp / "moving"
    shutil.rmtree(folder, ignore_errors=True)
    with pytest.raises(ClientError) as told:
        client.query("SELECT * FROM moving")
    assert told.value.status is Status.NOT_FOUND
    folder.mkdir()
    shutil.copy(swamp / "good.parquet", folder / "a.parquet")
    assert client.query("SELECT count(*) AS n FROM moving").to_pylist() == [{"n": ROWS}]
    shutil.copy(swamp / "good.parquet", folder / "b.parquet")
    assert client.query("SELECT count(*) AS n FROM moving").to_pylist() == [{"n": 2 * ROWS}]
    (folder / "a.parquet").unlink()
    assert client.query("SELECT count(*) AS n FROM moving").to_pylist() == [{"n": ROWS}]


def test_a_damaged_file_may_be_mended(client: Client, swamp: Path) -> None:
    file = swamp / "mended.parquet"
    file.write_bytes(b"nothing")
    with pytest.raises(ClientError):
        client.query("SELECT * FROM mended")
    shutil.copy(swamp / "good.parquet", file)
    assert client.query("SELECT count(*) AS n FROM mended").to_pylist() == [{"n": ROWS}]


def test_a_damaged_file_of_the_second_table_is_told_before_the_first_table_is_read(swamp: Path) -> None:
    options = ["--data", str(swamp), "--workers", "2", "--threads", "2", "--memory", "2GB", "--distribute", "always"]
    sql = f"SELECT count(*) FROM many m JOIN corrupt c ON m.x = c.x AND m.y = c.y WHERE {SLOW}"
    with RunningServer(*options) as server, Client(server.uri) as client:
        submitted = client.submit(sql)
        with pytest.raises(ClientError, match=r"b\.parquet"):
            list(client.read(submitted.ticket))
        status = client.status(submitted.query_id)
        assert status is not None
        (joined,) = [operator for operator in status.operators if operator.operator == "fragment-0"]
        assert "many" in joined.title
        assert joined.records_done < joined.records_total, "the first table was read on, for a query that had failed"
        eventually(lambda: all(worker.slots_used == 0 for worker in client.workers()), 5, "nothing runs for it any more")
        later = client.status(submitted.query_id)
        assert later is not None
        assert later.operators == status.operators


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("change", ["vanished", "replaced", "truncated"])
def test_a_file_that_changes_between_plan_and_run(swamp: Path, tmp_path: Path, workers: str, change: str) -> None:
    """The query is planned, waits in line, and finds another file than it was planned for."""
    root = tmp_path / "data"
    (root / "late").mkdir(parents=True)
    for name in ("a", "b"):
        shutil.copy(swamp / "good.parquet", root / "late" / f"{name}.parquet")
    config = tmp_path / "volley.toml"
    config.write_text("[limits]\nqueries = 1\nqueue = 5\n")
    options = ["--data", str(root), "--config", str(config), "--workers", workers, "--threads", "3", "--memory", "2GB"]
    with RunningServer(*options) as server, Client(server.uri) as client:
        blocker = client.submit("SELECT count(*) FROM range(1000000000000)").query_id
        eventually(lambda: (status := client.status(blocker)) is not None and status.state == "running", 10, "the first query runs")
        late = client.submit("SELECT sum(x), max(y) FROM late")
        file = root / "late" / "b.parquet"
        if change == "vanished":
            file.unlink()
        elif change == "replaced":
            shutil.copy(swamp / "wider" / "a.parquet", file)
        else:
            file.write_bytes(file.read_bytes()[:1000])
        client.kill(blocker)
        with pytest.raises(ClientError) as told:
            list(client.read(late.ticket))
        no_insides(str(told.value), [str(root), str(tmp_path)])
        assert "b.parquet" in str(told.value)
        assert told.value.status in (Status.INVALID_ARGUMENT, Status.NOT_FOUND)
        assert client.query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
