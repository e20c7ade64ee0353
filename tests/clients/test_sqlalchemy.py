"""SQLAlchemy by the two dialects for Flight SQL: sqlalchemy-adbc, and the older flightsql-dbapi, which needs SQLAlchemy 1.4."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas
import pytest

from tests.clients.all_types import ALL_TYPES, SENT_VALUES, row_of, values_of
from tests.clients.conftest import BIG_ROWS
from tests.clients.endless import ended_states, endless, once_it_runs, started_endless, states_of, states_of_endless
from tests.clients.fetched_packages import fetched_packages

if TYPE_CHECKING:
    from sqlalchemy import Engine

PAGE = Path(__file__).parents[2] / "docs" / "clients" / "sqlalchemy.md"
PROGRAM = Path(__file__).with_name("flightsql_dbapi.py")
MANY_ROWS = 6_000_000
RUN_SECONDS = 180


@pytest.fixture(name="engine", scope="module")
def _engine(uri: str) -> Iterator[Engine]:
    pytest.importorskip("sqlalchemy_adbc", reason="sqlalchemy-adbc is not installed")
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri.replace("grpc:", "adbc+flightsql:") + "?tls=false")
    yield engine
    engine.dispose()


def test_statements_and_parameters(engine: Engine) -> None:
    import sqlalchemy

    with engine.connect() as connection:
        sql = sqlalchemy.text("SELECT count(*) AS n, max(s) AS last FROM big WHERE i < :below AND s <> :not")
        assert connection.execute(sql, {"below": 10, "not": "row 9"}).mappings().all() == [{"n": 9, "last": "row 8"}]
        assert connection.execute(sql, {"below": 5, "not": ""}).all() == [(5, "row 4")]
        assert len(connection.execute(sqlalchemy.text("SELECT i FROM big")).all()) == BIG_ROWS


def test_values_of_all_types_arrive(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql(row_of()).mappings().one() == values_of()


def test_parameters_of_all_types_that_python_has(engine: Engine) -> None:
    import sqlalchemy

    sql = "SELECT " + ", ".join(f":v{number}, typeof(:v{number})" for number in range(len(SENT_VALUES)))
    values = {f"v{number}": value for number, value in enumerate(SENT_VALUES.values())}
    with engine.connect() as connection:
        row = connection.execute(sqlalchemy.text(sql), values).one()
        assert dict(zip(row[1::2], row[::2], strict=True)) == SENT_VALUES
        assert connection.execute(sqlalchemy.text("SELECT :v IS NULL"), {"v": None}).scalar_one() is True


@pytest.mark.slow
def test_six_million_rows_are_read_in_parts(engine: Engine) -> None:
    import sqlalchemy

    rows = total = 0
    with engine.connect() as connection:
        for part in connection.execute(sqlalchemy.text(f"SELECT range AS i FROM range({MANY_ROWS})")).partitions(100_000):
            rows += len(part)
            total += sum(i for (i,) in part)
        assert (rows, total) == (MANY_ROWS, MANY_ROWS * (MANY_ROWS - 1) // 2)
        assert connection.execute(sqlalchemy.text("SELECT repeat('x', 5000000)")).scalar_one() == "x" * 5_000_000


@pytest.mark.parametrize(
    ("client", "option", "session"),
    [
        ("sqlalchemy_call", "adbc.flight.sql.rpc.timeout_seconds.fetch=1", {}),
        (
            "sqlalchemy_session",
            "adbc.flight.sql.rpc.with_cookie_middleware=true",
            {"adbc.flight.sql.session.option.statement_timeout": "1s"},
        ),
    ],
)
def test_a_time_out_ends_the_query(engine: Engine, uri: str, client: str, option: str, session: dict[str, str]) -> None:
    import sqlalchemy

    patient = sqlalchemy.create_engine(f"{engine.url}&{option}", connect_args={"conn_kwargs": session})
    with patient.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError, match="TIMEOUT"):
        connection.execute(sqlalchemy.text(endless(client))).all()
    assert states_of_endless(uri, client) == ["killed"]
    patient.dispose()


def test_a_cancel_from_another_thread_ends_the_query(engine: Engine, uri: str) -> None:
    import sqlalchemy

    sql = endless("sqlalchemy_cancelled")
    cursors = []
    with engine.connect() as connection:
        sqlalchemy.event.listen(connection, "before_cursor_execute", lambda _, cursor, *more: cursors.append(cursor))
        cancelled = pytest.raises(sqlalchemy.exc.OperationalError, match="CANCELLED")
        with once_it_runs(uri, sql, lambda: cursors[-1].adbc_cancel()), cancelled:
            connection.execute(sqlalchemy.text(sql)).all()
    assert ended_states(uri, sql) == ["killed"]


def test_a_result_that_is_closed_half_way_ends_its_query(engine: Engine, uri: str) -> None:
    import sqlalchemy

    sql = "SELECT a.i, b.s FROM big AS a, big AS b WHERE a.i <> -4"
    with engine.connect() as connection, connection.execute(sqlalchemy.text(sql)) as result:
        assert len(result.fetchmany(10)) == 10
        assert states_of(uri, sql) == ["running"]
    assert ended_states(uri, sql) == ["killed"]


def test_tables_are_reflected(engine: Engine) -> None:
    import sqlalchemy

    inspector = sqlalchemy.inspect(engine)
    assert inspector.get_schema_names() == ["main"]
    assert (inspector.has_table("big"), inspector.has_table("nothing")) == (True, False)
    assert inspector.get_pk_constraint("big")["constrained_columns"] == []
    assert {column["name"]: str(column["type"]) for column in inspector.get_columns("big")} == {"i": "BIGINT", "s": "VARCHAR"}
    assert inspector.get_table_names() == [], "the dialect knows tables by 'table' only, not by 'TABLE'; docs/clients/sqlalchemy.md says so"
    big = sqlalchemy.Table("big", sqlalchemy.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        query = sqlalchemy.select(sqlalchemy.func.count(), sqlalchemy.func.max(big.c.s)).where(big.c.i.between(3, 8))
        assert connection.execute(query).all() == [(6, "row 8")]


def test_the_page_tells_the_dialect_where_tables_are(
    engine: Engine, uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy_adbc.flightsql import ADBCFlightSQLDialect

    monkeypatch.setattr(ADBCFlightSQLDialect, "get_table_names", ADBCFlightSQLDialect.get_table_names)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if "get_table_names" in block]
    told: dict[str, Any] = {}
    exec(block.replace("127.0.0.1:8815", uri.partition("://")[2]), told)
    told["engine"].dispose()
    assert capsys.readouterr().out == "['big', 'kinds']\n"


def test_columns_without_a_type_can_be_asked_for_and_given_one(engine: Engine) -> None:
    import sqlalchemy

    kinds = sqlalchemy.Table("kinds", sqlalchemy.MetaData(), sqlalchemy.Column("u8", sqlalchemy.SmallInteger), autoload_with=engine)
    without = [column.name for column in kinds.columns if isinstance(column.type, sqlalchemy.types.NullType)]
    assert without == ["u64", "lst", "rec", "dict", "gap"], "docs/clients/sqlalchemy.md lists them"
    with engine.connect() as connection:
        query = sqlalchemy.select(kinds.c.u8, kinds.c.u64, kinds.c.lst, kinds.c.rec).where(kinds.c.u64 == 5, kinds.c.u8 > 3)
        assert connection.execute(query).all() == [(4, 5, [1, 2], {"a": 1, "b": "x"})]


def test_pandas_has_parameters_and_pieces(engine: Engine) -> None:
    import sqlalchemy

    sql = sqlalchemy.text("SELECT i, s FROM big WHERE i < :below ORDER BY i")
    with engine.connect() as connection:
        frame = pandas.read_sql(sql, connection, params={"below": 3})
        pieces = [len(piece) for piece in pandas.read_sql(sql, connection, params={"below": 10}, chunksize=4)]
    assert frame.to_dict("list") == {"i": [0, 1, 2], "s": ["row 0", "row 1", "row 2"]}
    assert pieces == [4, 4, 2]


def test_an_error_says_what_is_wrong(engine: Engine) -> None:
    import sqlalchemy

    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.ProgrammingError, match="there is no table 'nowhere'"):
        connection.execute(sqlalchemy.text("SELECT * FROM nowhere"))


def old_command(uri: str, *arguments: str) -> list[str]:
    url = uri.replace("grpc:", "datafusion:") + "?insecure=True&feature-sqlalchemy-prepared-statements=on"
    return [sys.executable, str(PROGRAM), url, *arguments]


@pytest.fixture(name="old_packages", scope="module")
def _old_packages() -> dict[str, str]:
    """An environment with flightsql-dbapi and the SQLAlchemy that it needs."""
    return {**os.environ, "PYTHONPATH": str(fetched_packages("flightsql_dbapi"))}


@pytest.fixture(name="old", scope="module")
def _old(uri: str, old_packages: dict[str, str]) -> dict[str, str]:
    """What the program by flightsql-dbapi printed, by name."""
    command = old_command(uri, row_of(*(name for name in ALL_TYPES if name != "union")), str(MANY_ROWS))
    ended = subprocess.run(command, env=old_packages, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    return dict(line.split(": ", 1) for line in ended.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("statement", "[(9, 'row 8')]"),
        *((f"parameter {name}", "True") for name in ("BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "BLOB")),
        ("parameter DATE", 'unable to map "date" type to PyArrow datatype'),
        ("tables", "['main'] ['big', 'kinds']"),
        ("columns", "[('i', 'BIGINT'), ('s', 'TEXT')]"),
        ("built", "[(6, 'row 8')]"),
        ("mixed numbers", "(9.223372036854776e+18, 0.5)"),
        ("large row", "5000000"),
        ("many rows", f"{MANY_ROWS} {MANY_ROWS * (MANY_ROWS - 1) // 2}"),
    ],
)
def test_flightsql_dbapi(old: dict[str, str], name: str, answer: str) -> None:
    assert old[name] == answer


@pytest.mark.slow
def test_values_by_flightsql_dbapi(old: dict[str, str]) -> None:
    told = {name.removeprefix("type "): value for name, value in old.items() if name.startswith("type ")}
    as_pandas_has_them = {
        **{
            name: repr(pandas.Timestamp(cast("datetime.date", ALL_TYPES[name][1])))
            for name in ("date", "timestamp", "timestamp_s", "timestamp_ms")
        },
        **{
            "timestamptz": "Timestamp('2024-02-29 12:30:00.123456+0000', tz='UTC')",
            "interval": "<DateOffset: days=2, months=1, nanoseconds=3000>",
        },
        **{"list": "array([1, None], dtype=object)", "array": "array([1, 2], dtype=int32)"},
        "struct": "{'a': 1, 'b': array(['x'], dtype=object)}",
    }
    assert told == {name: repr(value) for name, value in values_of().items() if name != "union"} | as_pandas_has_them


@pytest.mark.slow
def test_the_end_of_its_program_ends_the_query_of_flightsql_dbapi(old_packages: dict[str, str], uri: str) -> None:
    with subprocess.Popen(old_command(uri, "wait", endless("flightsql_dbapi")), env=old_packages) as program:
        try:
            started_endless(uri, "flightsql_dbapi")
        finally:
            program.kill()
    assert states_of_endless(uri, "flightsql_dbapi") == ["killed"]
