"""SQLAlchemy by the two dialects for Flight SQL: sqlalchemy-adbc, and the older flightsql-dbapi, which needs SQLAlchemy 1.4."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pandas
import pytest

from tests.clients.conftest import BIG_ROWS
from tests.clients.kept_builds import kept_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

PROGRAM = Path(__file__).with_name("flightsql_dbapi.py")
OLD_PACKAGES = PROGRAM.with_suffix(".txt")
FETCH_SECONDS = 120
RUN_SECONDS = 60


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


@pytest.mark.parametrize(
    "value",
    [
        *(1, 2**40, 1.5, True, "grüß", b"\x00\xff", Decimal("12.34"), None),
        *(datetime.date(2024, 2, 29), datetime.time(12, 30), datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)),
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_was_sent(engine: Engine, value: object) -> None:
    import sqlalchemy

    with engine.connect() as connection:
        back = connection.execute(sqlalchemy.text("SELECT :value AS value"), {"value": value}).scalar_one()
    assert (type(back), back) == (type(value), value)


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


@pytest.fixture(name="old_packages", scope="module")
def _old_packages() -> Path:
    """flightsql-dbapi with the SQLAlchemy that it needs, fetched once, beside the packages of the tests."""
    folder = kept_folder("flightsql-dbapi", OLD_PACKAGES)
    done = folder / "fetched"
    if not done.exists():
        fetch = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--upgrade",
            "--target",
            str(folder),
            "-r",
            str(OLD_PACKAGES),
        ]
        try:
            subprocess.run(fetch, capture_output=True, timeout=FETCH_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("pip cannot fetch flightsql-dbapi")
        done.touch()
    return folder


@pytest.mark.slow
def test_flightsql_dbapi(old_packages: Path, uri: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(old_packages)}
    url = uri.replace("grpc:", "datafusion:") + "?insecure=True&feature-sqlalchemy-prepared-statements=on"
    ended = subprocess.run([sys.executable, str(PROGRAM), url], env=environment, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "[(9, 'row 8')]",
        "['main'] ['big', 'kinds']",
        "[('i', 'BIGINT'), ('s', 'TEXT')]",
        f"{BIG_ROWS}",
        "[(6, 'row 8')]",
    ]
