from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import Interrupted, KernelError, OperatorError, OutOfMemory
from operators.kernel.kernel import Kernel
from operators.kernel.relations import FileRelation, Relation
from planner.catalog import Column

FOREVER = "SELECT sum(hash(a.range) % 7 + hash(b.range) % 5) FROM range(10000000) a, range(10000000) b"


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    pq.write_table(pa.table({"a": [1, 2, 3], "b": ["x", "y", None]}), root / "t.parquet")
    return root


@pytest.fixture(name="kernel")
def _kernel(tmp_path: Path, root: Path) -> Iterator[Kernel]:
    kernel = Kernel(2, 256 << 20, tmp_path / "state", {str(root): "default:"}, spill_bytes=1 << 20)
    yield kernel
    kernel.close()


def rows(kernel: Kernel, sql: str, **relations: Relation) -> list[tuple[object, ...]]:
    with kernel.run(sql, relations) as run:
        table = pa.Table.from_batches(list(run), schema=run.schema)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_runs_over_files_tables_and_batches(kernel: Kernel, root: Path) -> None:
    table = pa.table({"a": [2, 3], "c": ["two", "three"]})
    files = f"SELECT * FROM read_parquet('{root}/t.parquet')"
    sql = "SELECT f.a, b, c FROM f JOIN t USING (a) ORDER BY a"
    expected = [(2, "y", "two"), (3, None, "three")]
    assert rows(kernel, sql, f=files, t=table) == expected
    assert rows(kernel, sql, f=files, t=table.to_batches()) == expected
    assert rows(kernel, sql, f=files, t=table.to_reader()) == expected


@pytest.mark.parametrize("expression", ["1 + 1", "substr('abc', 2)", "CASE WHEN true THEN 1 END", "'it''s' || x.\"a b\"", "max(x.n)"])
def test_a_column_without_an_alias_is_called_as_in_a_result(kernel: Kernel, expression: str) -> None:
    sql = f"SELECT {expression} FROM (SELECT 1 AS n, 'x' AS \"a b\") AS x GROUP BY ALL"
    assert kernel.column_name(expression) == kernel.result_schema(sql, {}).names[0]


def test_statements_of_one_schema_are_bound_once(kernel: Kernel) -> None:
    inputs = {"r": (Column("n", "INTEGER"),)}
    first = kernel.result_schema("SELECT n FROM r WHERE n = 1", inputs, "r by n")
    assert kernel.result_schema("SELECT nowhere FROM r", inputs, "r by n") is first
    assert kernel.result_schema("SELECT nowhere FROM r", inputs) is first, "it is known by its own text from then on"
    assert kernel.result_schema("SELECT n FROM r", {"r": (Column("n", "DATE"),)}, "r by n").types == [pa.date32()]
    with pytest.raises(KernelError):
        kernel.result_schema("SELECT nowhere, 1 FROM r", inputs, "another")


def test_parameters_stay_what_they_are_in_a_name(kernel: Kernel) -> None:
    assert kernel.column_name("$2 + nowhere.n") == "($2 + nowhere.n)"
    assert kernel.column_name("1 +") is None
    assert kernel.column_name("1 + " * 5_000 + "$1") is None


@pytest.mark.parametrize(
    "select",
    [
        "a AS x, a AS x",
        "NULL AS n, 'x' AS s, 1.5 AS d, [1] AS l, {'a': 1} AS st, map {'a': 1} AS m",
        "uuid() AS u, 1::hugeint AS h, TIME '10:00' AS t, now() AS n, INTERVAL 1 DAY AS i, 'a'::enum('a', 'b') AS e",
        "current_date AS d, '{}'::json AS j, 'a'::blob AS bl, '101'::bit AS bi, [1, 2]::int[2] AS arr, 1::bignum AS bn",
        "sum(a), count(*), avg(a), list(b)",
    ],
)
def test_the_schema_known_before_running_is_that_of_the_stream(kernel: Kernel, root: Path, select: str) -> None:
    sql = f"SELECT {select} FROM in_0"
    bound = kernel.result_schema(sql, {"in_0": (Column("a", "BIGINT"), Column("b", "VARCHAR"))})
    with kernel.run(sql, {"in_0": f"SELECT a, b FROM read_parquet('{root}/t.parquet')"}) as run:
        batches = list(run)
    assert bound.equals(run.schema, check_metadata=True)
    assert bound.equals(batches[0].schema, check_metadata=True)


def test_binding_refuses_with_the_kernels_message_and_no_internal_sql(kernel: Kernel) -> None:
    with pytest.raises(KernelError, match='"nope" not found') as caught:
        kernel.result_schema("SELECT nope FROM in_0", {"in_0": (Column("a", "BIGINT"),)})
    assert "LINE" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM in_0",
        "WITH x AS (SELECT a FROM in_0) SELECT a FROM x",
        "with recursive x(a) AS (SELECT min(a) FROM in_0 UNION ALL SELECT a + 1 FROM x WHERE a < 3) SELECT a FROM x",
        "(SELECT a FROM in_0 WHERE a < 2) UNION ALL (SELECT a FROM in_0 WHERE a >= 2)",
        "FROM in_0 SELECT a",
        "SELECT l.a FROM in_0 l JOIN in_0 r USING (a)",
        "SELECT a FROM in_0 WHERE EXISTS (WITH y AS (SELECT 1) SELECT * FROM y, in_0)",
        "SELECT a FROM (WITH in_1 AS (SELECT a FROM in_0) SELECT * FROM in_1)",
    ],
)
def test_statements_over_relations_that_are_sql(kernel: Kernel, root: Path, sql: str) -> None:
    select = f"SELECT a, b FROM read_parquet('{root}/t.parquet')"
    relation = FileRelation(select, (Column("a", "BIGINT"), Column("b", "VARCHAR")))
    assert sorted(rows(kernel, sql, in_0=relation)) == [(1,), (2,), (3,)]
    assert sorted(rows(kernel, sql, in_0=select)) == [(1,), (2,), (3,)]


def test_columns_of_a_relation(kernel: Kernel, root: Path) -> None:
    columns = kernel.columns_of(f"SELECT *, 1.5::decimal(15, 2) AS d FROM read_parquet('{root}/t.parquet')")
    assert columns == (Column("a", "BIGINT"), Column("b", "VARCHAR"), Column("d", "DECIMAL(15,2)"))


def test_arithmetic_and_order_are_postgres(kernel: Kernel) -> None:
    assert rows(kernel, "SELECT 7 / 2, -7 / 2") == [(3, -3)]
    assert rows(kernel, "SELECT x FROM (VALUES (1), (NULL), (2)) t(x) ORDER BY x") == [(1,), (2,), (None,)]
    assert rows(kernel, "SELECT x FROM (VALUES (1), (NULL), (2)) t(x) ORDER BY x DESC") == [(None,), (2,), (1,)]
    assert rows(kernel, "SELECT (TIMESTAMPTZ '2020-01-01 00:00:00+02')::varchar") == [("2019-12-31 22:00:00+00",)]


def test_a_run_has_a_time_zone_of_its_own(kernel: Kernel) -> None:
    sql = "SELECT to_timestamp(0)::VARCHAR AS shown, to_timestamp(0) AS t, current_setting('TimeZone') AS z"
    shown = {"UTC": "1970-01-01 00:00:00+00", "Asia/Kathmandu": "1970-01-01 05:30:00+05:30", "Etc/GMT+9": "1969-12-31 15:00:00-09"}
    with ExitStack() as open_at_once:
        runs = {zone: open_at_once.enter_context(kernel.run(sql, {}, time_zone=zone)) for zone in shown}
        plain = open_at_once.enter_context(kernel.run(sql, {}))
        for zone, run in [*runs.items(), ("UTC", plain)]:
            (batch,) = run
            assert run.schema == kernel.result_schema(sql, {}, time_zone=zone) == batch.schema
            assert run.schema.field("t").type == pa.timestamp("us", zone)
            assert (batch["shown"][0].as_py(), batch["z"][0].as_py()) == (shown[zone], zone)


def test_a_zone_that_there_is_not_is_an_error(kernel: Kernel) -> None:
    assert {"Europe/Berlin", "UTC"} <= set(kernel.time_zones())
    with pytest.raises(KernelError, match="Unknown TimeZone 'Mars'"), kernel.run("SELECT 1", {}, time_zone="Mars"):
        pass


def test_results_stream(kernel: Kernel) -> None:
    with kernel.run("SELECT * FROM range(100000000000)", {}, batch_rows=10_000) as run:
        first = next(iter(run))
    assert 0 < first.num_rows <= 10_240


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('{root}/../state/x')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd'",
        "FROM '{root}/../secret.parquet'",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT getenv('HOME')",
        "COPY (SELECT 1) TO '{root}/out.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET lock_configuration",
        "PRAGMA threads = 1",
        "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "CREATE TABLE x AS SELECT 1",
        "EXPORT DATABASE '/tmp/x'",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM python_variable",
    ],
)
def test_is_locked_down(kernel: Kernel, root: Path, sql: str) -> None:
    python_variable = pa.table({"a": [1]})
    assert python_variable.num_rows == 1
    (root.parent / "secret.parquet").write_bytes((root / "t.parquet").read_bytes())
    with pytest.raises(OperatorError) as caught:
        rows(kernel, sql.format(root=root))
    message = str(caught.value)
    assert str(root.parent) not in message
    assert "Traceback" not in message
    assert not list(root.glob("out*"))


def test_a_running_statement_stops_when_interrupted(kernel: Kernel) -> None:
    runs = threading.Event()

    def batches() -> Iterator[pa.RecordBatch]:
        runs.set()  # asked for by the kernel, in the midst of the statement
        yield pa.record_batch({"n": list(range(1000))})

    def stop() -> None:
        runs.wait()
        run.interrupt()

    rows_of_it = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches())
    endless = "SELECT sum(hash(t.n) % 7 + hash(a.range) % 7 + hash(b.range) % 5) FROM t, range(10000000) a, range(10000000) b"
    with kernel.run(endless, {"t": rows_of_it}) as run:
        stopper = threading.Thread(target=stop)
        stopper.start()
        with pytest.raises(Interrupted):
            list(run)
        stopper.join()
    assert runs.is_set()


def test_interrupt_before_the_start_and_after_the_end(kernel: Kernel) -> None:
    with kernel.run("SELECT 1", {}) as run:
        run.interrupt()
        with pytest.raises(Interrupted):
            list(run)
    with kernel.run("SELECT 1", {}) as run:
        assert sum(batch.num_rows for batch in run) == 1
    run.interrupt()


def test_interrupt_in_the_middle_of_a_stream(kernel: Kernel) -> None:
    with kernel.run("SELECT * FROM range(100000000000)", {}, batch_rows=2048) as run:
        batches = iter(run)
        next(batches)
        run.interrupt()
        with pytest.raises(Interrupted):
            list(batches)


def test_an_interrupt_is_never_lost(kernel: Kernel) -> None:
    rng = random.Random(1)
    for _ in range(60):
        with kernel.run(FOREVER, {}) as run:
            threading.Timer(rng.random() * 0.002, run.interrupt).start()
            with pytest.raises(Interrupted):
                list(run)


def test_leaving_a_run_half_way_frees_its_memory(kernel: Kernel) -> None:
    with kernel.run("SELECT * FROM (SELECT range AS r, repeat('x', 40) AS s FROM range(1000000)) ORDER BY hash(r)", {}) as run:
        batches = iter(run)
        next(batches)
        assert kernel.statistics().memory_bytes > 10 << 20
    assert kernel.statistics().memory_bytes < 10 << 20


def test_no_room_is_an_error_that_says_so_and_names_no_path(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory) as caught:
        rows(kernel, "SELECT * FROM (SELECT range AS r, repeat('x', 400) AS s FROM range(3000000)) ORDER BY hash(r)")
    assert str(tmp_path) not in str(caught.value)
    assert rows(kernel, "SELECT 1") == [(1,)]


def test_errors_in_the_middle_of_a_stream_are_the_kernels(kernel: Kernel) -> None:
    sql = "SELECT CASE WHEN range = 500000 THEN ('x' || range)::int ELSE 1 END FROM range(1000000)"
    with kernel.run(sql, {}, batch_rows=2048) as run, pytest.raises(KernelError, match="Could not convert"):
        list(run)


def test_an_exception_of_the_caller_passes_through(kernel: Kernel) -> None:
    def consume() -> None:
        with kernel.run("SELECT * FROM range(1000000)", {}, batch_rows=2048) as run:
            for _ in run:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()


def test_many_threads_run_at_once(kernel: Kernel) -> None:
    answers: list[list[tuple[object, ...]]] = []

    def work(number: int) -> None:
        answers.append(rows(kernel, "SELECT sum(a) + 0 FROM in_0", in_0=pa.table({"a": [number] * 1000})))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(str(answer[0][0])) for answer in answers) == [number * 1000 for number in range(16)]


def test_statistics_count_runs(kernel: Kernel) -> None:
    before = kernel.statistics().runs
    rows(kernel, "SELECT 1")
    assert kernel.statistics().runs == before + 1
    assert kernel.statistics().spill_bytes == 0


def test_what_is_spilled_is_seen_while_it_is(tmp_path: Path) -> None:
    kernel = Kernel(1, 16 << 20, tmp_path / "state", {})
    assert kernel.spilled_bytes() == 0
    with kernel.run("SELECT n FROM in_0 ORDER BY hash(n)", {"in_0": "SELECT range AS n FROM range(1_500_000)"}) as run:
        next(iter(run))
        assert kernel.spilled_bytes() > 1 << 20
    assert kernel.spilled_bytes() == 0
    kernel.close()


def test_agrees_with_a_kernel_without_locks(kernel: Kernel, root: Path) -> None:
    sql = f"SELECT b, sum(a) FROM read_parquet('{root}/t.parquet') GROUP BY b ORDER BY b"
    assert rows(kernel, sql) == duckdb.connect().sql(sql).fetchall()


def test_a_kernel_that_broke_is_replaced(kernel: Kernel) -> None:
    sound = kernel._connection
    told = kernel.failed(duckdb.InternalException("INTERNAL Error: assertion failed\nStack Trace: 0x0"))
    assert isinstance(told, KernelError)
    assert "Stack" not in str(told)
    assert kernel._connection is sound
    kernel._connection.close()
    kernel.failed(duckdb.FatalException("FATAL Error: the database has been invalidated"))
    assert rows(kernel, "SELECT 7 / 2") == [(3,)]
    with pytest.raises(OperatorError):
        rows(kernel, "SELECT * FROM read_text('/etc/passwd')")
