"""Apache Arrow's JDBC driver for Flight SQL against a real server: what JdbcProbe.java prints, section by section.

The driver's jar is fetched once into the user's Maven repository. Without Java, Maven or a registry, these tests are skipped.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import OTHER_KINDS
from tests.clients.jdbc_driver import Sections, sections

PROBE = Path(__file__).with_name("JdbcProbe.java")
BIG_ROWS = 400_000  # of the lake's `big`


@pytest.fixture(scope="module")
def told(uri: str) -> Sections:
    """What the program printed, by section: one run of it for all tests."""
    return sections(PROBE, uri, OTHER_KINDS)


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        ("catalogs", ["volley"]),
        ("schemas", ["main|volley"]),
        ("table types", ["TABLE"]),
        ("tables", ["volley|main|big|TABLE", "volley|main|kinds|TABLE"]),
        ("tables like", ["kinds"]),
        ("keys", []),
        ("foreign keys", []),
        (
            "column facts",
            [
                "id 10 0 true true false volley.main.kinds",
                "dec 9 2 true true false volley.main.kinds",
                "text 0 0 true true true volley.main.kinds",
                "day 10 0 true true false volley.main.kinds",
                "next 10 0 true true false null.null.null",
            ],
        ),
        ("conversions", ["true true true false"]),
        ("statement", ["answer INTEGER", "42"]),
        ("many statements", ["210"]),
        ("moment", ["2024-02-29T12:30:00Z", "null"]),
        ("getters", ["7 5000000000 true", "7.25 7.25", "x 7", "2024-02-29 2024-02-29 12:30:00.0", "0 true"]),
        ("prepared", ["2", "9 row 8", "999 row 999"]),
        ("prepared without parameters", [str(BIG_ROWS)] * 2),
        ("prepared limit", ["0", "1"]),
        ("parameter kinds", ["5000000001|grüß!|true|2024-02-29|2024-02-29 12:30:00.0|12.34|0.5|00ff"]),
        ("null parameter", ["nothing"]),
        ("big result", [f"{BIG_ROWS} {BIG_ROWS * (BIG_ROWS - 1) // 2}"]),
        ("closed early", ["read one"]),
        ("after errors", ["one INTEGER", "1"]),
        ("max rows", ["0", "1", "2"]),
        ("execute", ["true -1", "big", "kinds"]),
        ("transaction", ["one INTEGER", "1", "two INTEGER", "2", "true true"]),
        (
            "session",
            [
                *("z VARCHAR|t VARCHAR", "Asia/Kathmandu|2024-07-01 17:45:00+05:45"),
                *("z VARCHAR|t VARCHAR", "UTC|2024-07-01 12:00:00+00"),
            ],
        ),
        ("valid", ["true true true"]),
    ],
)
def test_answers(told: Sections, section: str, lines: list[str]) -> None:
    assert told[section] == lines


def test_the_server_names_itself(told: Sections) -> None:
    assert told["server"][0] == "Volley"
    assert told["server"][2:] == ["true", '"', "true true true"]


def test_columns_have_their_jdbc_types(told: Sections) -> None:
    columns = [line.split("|") for line in told["columns"]]
    assert [column[0] for column in columns[:4]] == ["id", "yes", "i8", "i16"]
    kinds = {column[0]: column[2] for column in columns}
    assert kinds["dec"] == "DECIMAL"
    assert kinds["at"] == "TIMESTAMP"
    assert kinds["lst"] == "INTEGER[]"
    assert next(column for column in columns if column[0] == "dec")[3:5] == ["9", "2"]


def test_every_type_arrives(told: Sections) -> None:
    assert told["kinds"][1:] == [
        "1|true|1|2|3|4|5|1.5|2.5|12.34|grüß|00ff|2024-02-29|12:30:00|2024-02-29 12:30:00.123456|[1,2]|"
        '{"a":1,"b":"x"}|{"k":1}|P1D PT0S|88188cca-5b19-408b-a4c2-31eb2fdf21f0',
        "2" + "|null" * 19,
    ]


def test_other_types_arrive(told: Sections) -> None:
    assert told["other kinds"] == [
        "u JAVA_OBJECT|e VARCHAR|h DECIMAL|uh VARCHAR|t VARCHAR|b VARCHAR|n TIMESTAMP|a ARRAY",
        "1|a|170141183460469231731687303715884105727|2|12:00:00+02|101|2024-01-01 00:00:00.123456789|[1,2]",
    ]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("bad syntax", "there is no table 'WHERE' (line 1, column 13) /   SELECT FROM WHERE /               ^^^^^"),
        ("unknown table", "there is no table 'nowhere' (line 1, column 15)"),
        ("bad cast", "Could not convert string 'x' to INT32"),
        ("late error", "Could not convert string 'x' to INT32"),
        ("write", "CREATE is refused: only queries are accepted here"),
        ("unknown parameter", "Binding value of type INTEGER is not yet supported"),
    ],
)
def test_errors_say_what_is_wrong(told: Sections, section: str, message: str, lake: Path) -> None:
    error = told[section][-1]
    assert error.startswith("SQLException: ")
    assert message in error
    assert "Traceback" not in error
    assert str(lake) not in error


def test_an_empty_result_has_no_rows(told: Sections) -> None:
    # The driver doubles the columns of an empty result of a Statement (not of a PreparedStatement), so they are not looked at.
    assert len(told["empty"]) == 1
