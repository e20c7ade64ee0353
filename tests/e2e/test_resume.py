"""Whoever is cut off in the middle of a result goes on where he was, to the same rows: at another time, worker or server."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import START, Cursor, ResultTicket
from planner.errors import Status
from tests.e2e.answers import rows_of, same_rows
from tests.e2e.held_files import HeldFiles
from tests.e2e.running_server import RunningServer, environment
from tests.e2e.served_lake import EVENTS
from tests.e2e.waiting import eventually
from tests.e2e.wire import Wire

ROWS = "SELECT id, person, amount, maybe FROM events"
SLOW_ROWS = f"{ROWS} WHERE length(md5(repeat(person, 100))) = 32"
ENDLESS = "SELECT range AS n, 'row ' || range AS text FROM range(1000000000000)"
ROW_GROUP_ROWS = 6_000
GROUPS_PER_FILE = 7


@pytest.fixture(scope="module", name="config")
def _config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results in many small row groups and files."""
    file = tmp_path_factory.mktemp("config") / "volley.toml"
    file.write_text(f"[results]\nrows_per_group = {ROW_GROUP_ROWS}\ngroups_per_file = {GROUPS_PER_FILE}\n")
    return file


@pytest.fixture(scope="module", name="options")
def _options(lake: Path, config: Path) -> list[str]:
    return ["--data", str(lake), "--config", str(config), "--memory", "2GB"]


@pytest.fixture(scope="module", name="uri", params=["1", "3"], ids=["one worker", "three workers"])
def _uri(request: pytest.FixtureRequest, options: list[str]) -> Iterator[str]:
    with RunningServer(*options, "--workers", request.param, "--threads", "3", "--distribute", "always") as server:
        yield server.uri
        assert server.stop() == 0, server.log


@pytest.fixture(scope="module", name="truth")
def _truth(oracle: duckdb.DuckDBPyConnection) -> pa.Table:
    return oracle.sql(ROWS).to_arrow_table()


def whole(parts: list[pa.RecordBatch], submitted: Submitted) -> pa.Table:
    return pa.Table.from_batches(parts, submitted.schema)


def state_of(client: Client, query_id: str) -> str | None:
    status = client.status(query_id)
    return None if status is None else status.state


def read_piece(uri: str, query_id: str, cursor: Cursor, most: int) -> tuple[list[pa.RecordBatch], Cursor | None]:
    """At most so many batches from ``cursor`` on, over a connection that is cut off then; and where the next one begins."""
    parts: list[pa.RecordBatch] = []
    following: Cursor | None = cursor
    with Client(uri) as client:
        for batch, place in itertools.islice(client.read(query_id, cursor), most):
            assert place.cursor == following
            parts.append(batch)
            following = place.next
    return parts, following


@pytest.mark.parametrize("seed", range(3))
def test_cut_off_again_and_again(uri: str, truth: pa.Table, seed: int) -> None:
    chance = random.Random(seed)
    with Client(uri) as first:
        submitted = first.submit(ROWS)
    parts: list[pa.RecordBatch] = []
    cursor: Cursor | None = START
    pieces = 0
    while cursor is not None:
        piece, cursor = read_piece(uri, submitted.query_id, cursor, chance.randint(1, 9))
        parts += piece
        pieces += 1
    assert pieces >= 8
    same_rows(whole(parts, submitted), truth)


@pytest.mark.parametrize("uri", ["3"], indirect=True, ids=["three workers"])
def test_cut_off_while_a_scan_runs_on_all_workers(uri: str, lake: Path, truth: pa.Table) -> None:
    parts: list[pa.RecordBatch] = []
    cursor: Cursor | None = START
    with Client(uri) as client:
        # From now on the planner has the footers, and opens no file.
        client.query("SELECT count(*) FROM events")
        with HeldFiles([max((lake / "events").iterdir())]) as files:
            submitted = client.submit(ROWS)
            for _ in range(10):
                assert cursor is not None
                piece, cursor = read_piece(uri, submitted.query_id, cursor, 7)
                parts += piece
                assert state_of(client, submitted.query_id) == "running"
            files.let_go()
            while cursor is not None:
                piece, cursor = read_piece(uri, submitted.query_id, cursor, 7)
                parts += piece
    same_rows(whole(parts, submitted), truth)


@pytest.mark.parametrize("uri", ["1"], indirect=True, ids=["one worker"])
def test_cut_off_while_a_query_runs_that_never_ends(uri: str) -> None:
    chance = random.Random(7)
    parts: list[pa.RecordBatch] = []
    cursor: Cursor | None = START
    with Client(uri) as client:
        submitted = client.submit(ENDLESS)
        for _ in range(12):
            assert cursor is not None
            piece, cursor = read_piece(uri, submitted.query_id, cursor, chance.randint(1, 9))
            parts += piece
            assert state_of(client, submitted.query_id) == "running"
        client.kill(submitted.query_id)
    read = whole(parts, submitted)
    assert read["n"].to_pylist() == list(range(read.num_rows))


def test_row_group_by_row_group_with_rows_in_the_middle(uri: str, truth: pa.Table) -> None:
    chance = random.Random(7)
    with Client(uri) as client:
        submitted = client.submit(SLOW_ROWS)
        parts: list[pa.RecordBatch] = []
        cursor: Cursor | None = START
        while cursor is not None:
            limit = chance.choice([None, 1, 17, 2_500])
            for batch, place in client.read(submitted.query_id, cursor, follow=False, limit=limit):
                parts.append(batch)
                cursor = place.next
                assert batch.num_rows <= (limit or ROW_GROUP_ROWS)
        same_rows(whole(parts, submitted), truth)


READER = """
import json, sys
from flight_server.client import Client
with Client(sys.argv[1]) as client:
    for batch, place in client.read(sys.argv[2]):
        print(json.dumps([batch.num_rows, place.next]), flush=True)
"""


def test_a_reading_process_is_killed_and_another_goes_on(uri: str, truth: pa.Table) -> None:
    with Client(uri) as client:
        submitted = client.submit(SLOW_ROWS)
        process = subprocess.Popen([sys.executable, "-c", READER, uri, submitted.query_id], env=environment(), stdout=subprocess.PIPE)
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in range(4)]
        process.kill()
        process.wait()
        process.stdout.close()
        assert state_of(client, submitted.query_id) in ("running", "completed")
        rows = sum(rows for rows, _ in told)
        rest = [batch for batch, _ in client.read(submitted.query_id, Cursor(*told[-1][1]))]
        same_rows(whole(rest, submitted), truth.slice(rows))


@pytest.mark.parametrize("cut_after_bytes", [60_000, 500_000, 3_000_000])
def test_the_wire_breaks(uri: str, truth: pa.Table, cut_after_bytes: int) -> None:
    with Client(uri) as client:
        submitted = client.submit(ROWS)
        parts: list[pa.RecordBatch] = []
        cursor: Cursor | None = START
        cuts: list[Status] = []
        while cursor is not None:
            with Wire(uri, cut_after_bytes=cut_after_bytes * (1 + len(cuts))) as wire, Client(wire.uri) as far:
                try:
                    for batch, place in far.read(submitted.query_id, cursor):
                        parts.append(batch)
                        cursor = place.next
                except ClientError as error:
                    cuts.append(error.status)
        assert set(cuts) == {Status.UNAVAILABLE}, "nothing was cut off"
        same_rows(whole(parts, submitted), truth)


def test_any_worker_has_the_result(options: list[str], truth: pa.Table) -> None:
    with RunningServer(*options, "--workers", "3", "--threads", "3") as server, Client(server.uri) as first:
        workers = first.workers()
        submitted = first.submit(SLOW_ROWS)
        parts: list[pa.RecordBatch] = []
        cursor: Cursor | None = START
        turn = 0
        while cursor is not None:
            with Client(workers[turn % 3].uri) as client:
                for number, (batch, place) in enumerate(client.read(submitted.query_id, cursor)):
                    parts.append(batch)
                    cursor = place.next
                    if number == 12:
                        break
            turn += 1
        assert turn >= 5
        same_rows(whole(parts, submitted), truth)
        for worker in workers:
            with Client(worker.uri) as client:
                assert state_of(client, submitted.query_id) == "completed"
                group, following = client.row_group(submitted.query_id, Cursor(1, 2, 5))
                start = (GROUPS_PER_FILE + 2) * ROW_GROUP_ROWS + 5
                assert following == Cursor(1, 3, 0)
                same_rows(group, truth.slice(start, ROW_GROUP_ROWS - 5))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_results_outlive_their_server(options: list[str], tmp_path: Path, truth: pa.Table, number: signal.Signals, workers: str) -> None:
    stated = [*options, "--state", str(tmp_path / "state"), "--workers", workers, "--threads", "3"]
    with RunningServer(*stated) as server, Client(server.uri) as client:
        processes = [worker.pid for worker in client.workers()]
        with Client(client.workers()[-1].uri) as other:
            submitted = other.submit(ROWS)
            read = list(itertools.islice(other.read(submitted.ticket), 9))
            half, following = [batch for batch, _ in read], read[-1][1].next
            assert following is not None
            assert list(other.watch(submitted.query_id))[-1].state == "completed"
            failed = other.submit("SELECT error('no') FROM events")
            assert list(other.watch(failed.query_id))[-1].state == "failed"
        server.stop(number)
    eventually(lambda: not any(alive(process) for process in processes), 10, "all its processes have ended")
    with RunningServer(*stated) as again, Client(again.uri) as client:
        rest = [batch for batch, _ in client.read(submitted.query_id, following)]
        same_rows(whole(half + rest, submitted), truth)
        same_rows(whole([batch for batch, _ in client.read(submitted.ticket)], submitted), truth)
        status = client.status(submitted.query_id)
        assert status is not None
        assert (status.state, status.sql, status.result.rows) == ("completed", ROWS, EVENTS)
        assert [(line.query_id, line.state, line.sql, line.result.rows) for line in client.queries()] == [
            (submitted.query_id, "completed", ROWS, EVENTS)
        ]
        assert client.status(failed.query_id) is None
        with flight.connect(again.uri) as plain:
            finished = [info for info in plain.list_flights() if info.descriptor.command]
            assert [info.total_records for info in finished] == [EVENTS]
            table = plain.do_get(finished[0].endpoints[0].ticket).read_all()
            assert rows_of(table) == rows_of(truth)
        assert again.stop() == 0, again.log


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_query_that_dies_with_its_server_leaves_nothing_that_looks_whole(options: list[str], tmp_path: Path) -> None:
    stated = [*options, "--state", str(tmp_path / "state"), "--threads", "2"]
    with RunningServer(*stated) as server, Client(server.uri) as client:
        submitted = client.submit(ENDLESS)
        next(client.read(submitted.ticket))
        assert state_of(client, submitted.query_id) == "running"
        server.process.kill()
        server.process.wait()
    with RunningServer(*stated) as again, Client(again.uri) as client:
        assert client.status(submitted.query_id) is None
        with pytest.raises(ClientError) as told:
            list(client.read(ResultTicket(submitted.query_id, START, True)))
        assert told.value.status is Status.NOT_FOUND
        assert client.query("SELECT count(*) AS n FROM events").to_pylist() == [{"n": EVENTS}]


def test_a_drained_server_lets_a_reader_finish(options: list[str], truth: pa.Table) -> None:
    with RunningServer(*options, "--threads", "2") as server, Client(server.uri) as client:
        submitted = client.submit(SLOW_ROWS)
        reader = client.read(submitted.ticket)
        parts = [next(reader)[0]]
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: "draining" in server.log, 10, "it drains")
        with pytest.raises(ClientError) as told:
            client.submit("SELECT 1")
        assert told.value.status is Status.UNAVAILABLE
        parts += [batch for batch, _ in reader]
        same_rows(whole(parts, submitted), truth)
        assert server.process.wait(30) == 0
