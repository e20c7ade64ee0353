"""Apache Arrow's Go client, by Flight SQL and by database/sql, against a real server: what go/main.go prints.

The first run on a machine fetches and compiles the client's modules, which takes a minute or more; Go keeps both.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import OTHER_KINDS
from tests.clients.endless import endless, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary
from tests.clients.native_programs import go_program
from tests.clients.parameter_files import ASKED, answers, kernel_answers, write_parameters

BIG_ROWS = 400_000  # of the lake's `big`
RUN_SECONDS = 60


@pytest.fixture(scope="module")
def program() -> Path:
    return go_program()


def _told(program: Path, uri: str, task: str, *arguments: str) -> list[str]:
    command = [str(program), uri.removeprefix("grpc://"), task, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_a_go_program_reads_results_tables_and_errors(program: Path, uri: str) -> None:
    rows, big, kinds, error, prepared, transaction, *tables, failed, end = _told(program, uri, "all")
    assert rows == f"rows {BIG_ROWS} {BIG_ROWS * (BIG_ROWS - 1) // 2}"
    assert (big, kinds) == ("table big", "table kinds")
    assert "code = NotFound desc = there is no table 'nowhere' (line 1, column 15)" in error
    assert prepared == "database/sql 9 row 8"
    assert transaction == f"database/sql transaction {BIG_ROWS}"
    assert tables == ["database/sql table big", "database/sql table kinds"]
    assert "code = InvalidArgument" in failed
    assert "Could not convert string 'x' to INT32" in failed
    assert end == "end"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["large", "large database/sql"])
def test_results_of_any_size_are_read_with_the_defaults(program: Path, uri: str, task: str) -> None:
    *large, error, _ = _told(program, uri, task, *LARGE, ONE_LARGE_ROW)
    assert large == [summary(sql) for sql in LARGE]
    assert "code = ResourceExhausted desc = grpc: received message larger than max" in error, "or the defaults are no longer gRPC's"


@pytest.mark.slow
def test_one_large_row_is_read_with_a_higher_limit(program: Path, uri: str) -> None:
    assert _told(program, uri, "large with a limit of 64 MiB", ONE_LARGE_ROW) == [summary(ONE_LARGE_ROW), "end"]


@pytest.mark.slow
def test_deadlines_and_cancelled_contexts_end_the_query(program: Path, uri: str) -> None:
    *errors, _ = _told(program, uri, "endless", endless("go"))
    assert [error.split(" desc = ")[0] for error in errors] == ["rpc error: code = DeadlineExceeded", "rpc error: code = Canceled"] * 3
    assert states_of_endless(uri, "go") == ["killed"] * 6


@pytest.mark.slow
def test_a_sessions_time_out_ends_the_query(program: Path, uri: str) -> None:
    refused, error, _ = _told(program, uri, "session", endless("go_session"), "SELECT 42")
    assert refused == "refused 0"
    assert "code = DeadlineExceeded desc = the query was stopped: it has taken longer than the 1 s" in error
    assert states_of_endless(uri, "go_session") == ["killed"]


# What database/sql makes of each type. The driver has no unsigned integers, lists, structs, maps and intervals.
GO_VALUES = {
    **{"yes": "bool true", "i8": "int8 1", "i16": "int16 2", "i64": "int64 3", "f32": "float32 1.5", "f64": "float64 2.5"},
    **{"dec": "float64 12.34", "text": "string grüß", "bin": "[]uint8 [0 255]", "clock": "time.Time 1970-01-01 12:30:00 +0000 UTC"},
    **{"at": "time.Time 2024-02-29 12:30:00.123456 +0000 UTC", "tz": "time.Time 2024-02-29 12:30:00 +0000 UTC"},
    **{"u": "string 88188cca-5b19-408b-a4c2-31eb2fdf21f0", "u8": "error type *array.Uint8: not supported"},
    **{"u64": "error type *array.Uint64: not supported", "day": "time.Time 2024-02-29 00:00:00 +0000 UTC"},
    **{"lst": "error type *array.List: not supported", "rec": "error type *array.Struct: not supported"},
    **{"dict": "error type *array.Map: not supported", "gap": "error type *array.MonthDayNanoInterval: not supported"},
}


@pytest.mark.slow
def test_values_arrive(program: Path, uri: str) -> None:
    first, second, _ = _told(program, uri, "values", "SELECT * FROM kinds ORDER BY id")
    assert first == (
        "1|true|1|2|3|4|5|1.5|2.5|12.34|grüß|AP8=|2024-02-29|12:30:00.000000|2024-02-29T12:30:00.123456|2024-02-29T12:30:00Z|[1,2]|"
        '{"a":1,"b":"x"}|[{"key":"k","value":1}]|{"months":0,"days":1,"nanoseconds":0}|88188cca-5b19-408b-a4c2-31eb2fdf21f0'
    )
    assert second == "2" + "|(null)" * 20
    (other, _) = _told(program, uri, "values", OTHER_KINDS)
    # The number is whole in the array, and rounded where it is printed.
    assert other == "[0,1]|a|1.7014118346046923173168730371588410573e+38|2|12:00:00+02|101|2024-01-01T00:00:00.123456789|[1,2]"


@pytest.mark.slow
def test_parameters_of_every_type_and_of_several_rows(program: Path, uri: str, tmp_path: Path) -> None:
    write_parameters(tmp_path)
    assert _told(program, uri, "parameters", str(tmp_path), ASKED) == ["end"]
    assert answers(tmp_path) == kernel_answers()


@pytest.mark.slow
def test_values_and_parameters_of_database_sql(program: Path, uri: str) -> None:
    lines = _told(program, uri, "values database/sql", *(f"SELECT kinds.{column} FROM kinds WHERE id = 1" for column in GO_VALUES))
    cut = lines.index("parameters")
    assert dict(zip(GO_VALUES, lines[:cut], strict=True)) == GO_VALUES
    *sent, binary, moment, nothing, compared, _ = lines[cut + 1 :]
    assert sent == ["int64 1099511627776", "float64 1.5", "bool true", "string grüß"]
    assert all("builder" in error for error in (binary, moment, nothing)), "the driver can send these now: docs/clients says it cannot"
    assert compared == "int64 1"


@pytest.mark.slow
def test_grafanas_data_source_logs_in_finds_tables_and_fills_panels(program: Path, uri: str) -> None:
    panels = (
        "SELECT i, s FROM main.big WHERE i <= 2 ORDER BY i LIMIT 3",
        "SELECT tz::TIMESTAMP_NS AS time, text, f64 FROM kinds WHERE tz >= cast('2024-02-29T00:00:00Z' as timestamp)",
        "SELECT datepart('hour', tz) AS tz_hour, count(*) AS n FROM kinds WHERE id = 1 GROUP BY datepart('hour', tz)",
        "SELECT date_bin(interval '60 second', tz, timestamp '1970-01-01T00:00:00Z') AS time, text FROM kinds "
        "WHERE tz >= '2024-02-29T00:00:00Z' AND tz <= '2024-03-01T00:00:00Z'",
    )
    lines = _told(program, uri, "grafana", *panels)
    told: dict[str, list[str]] = {}
    for line in lines[:-1]:
        kind, _, text = line.partition(" ")
        told.setdefault(kind, []).append(text)
    assert told["health"] == ["1 int32; 1"] * 2
    assert {"0 Volley", '504 "', "3 true"} <= set(told["fact"])
    assert told["table"] == ["volley|main|big|TABLE", "volley|main|kinds|TABLE"]
    assert told["columns"] == ["id yes i8 i16 i64 u8 u64 f32 f64 dec text bin day clock at tz lst rec dict gap u"]
    assert told["panel"] == [
        "i int64,s utf8; 0|row 0; 1|row 1; 2|row 2",
        "time timestamp[ns],text utf8,f64 float64; 2024-02-29T12:30:00|grüß|2.5",
        "tz_hour int64,n int64; 12|1",
        "time timestamp[us, tz=UTC],text utf8; 2024-02-29T12:30:00Z|grüß",
    ]
