"""Node's gRPC library, @grpc/grpc-js, with nothing but the protocol's own messages, against a real server: what node/reader.js prints.

The packages are fetched once, into the user's cache. Without Node, npm or a registry, these tests are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.conftest import OTHER_KINDS
from tests.clients.endless import endless, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary
from tests.clients.native_programs import node_packages, run_node
from tests.clients.parameter_files import ASKED, answers, kernel_answers, write_parameters

RUN_SECONDS = 60


@pytest.fixture(name="packages", scope="module")
def _packages() -> Path:
    """The folder with node_modules."""
    return node_packages()


def _told(packages: Path, uri: str, task: str, *arguments: str) -> list[str]:
    return run_node(packages, uri, task, *arguments, seconds=RUN_SECONDS).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("protocol_name", ["Flight SQL", "Flight"])
def test_results_of_any_size_are_read_with_the_defaults(packages: Path, uri: str, protocol_name: str) -> None:
    *large, error = _told(packages, uri, f"summary by {protocol_name}", *LARGE, ONE_LARGE_ROW)
    assert large == [summary(sql) for sql in LARGE]
    assert error.startswith("RESOURCE_EXHAUSTED Received message larger than max"), "or the defaults are no longer gRPC's"


def test_one_large_row_is_read_with_a_higher_limit(packages: Path, uri: str) -> None:
    assert _told(packages, uri, "summary with a limit of 64 MiB", ONE_LARGE_ROW) == [summary(ONE_LARGE_ROW)]


def test_values_arrive(packages: Path, uri: str) -> None:
    values, nulls = [json.loads(line) for line in _told(packages, uri, "rows", "SELECT * EXCLUDE (gap) FROM kinds ORDER BY id")]
    assert values == {
        **{"id": 1, "yes": True, "i8": 1, "i16": 2, "i64": 3, "u8": 4, "u64": 5, "f32": 1.5, "f64": 2.5, "dec": 1234, "text": "grüß"},
        **{"bin": [0, 255], "day": 1709164800000, "clock": 45000000000, "at": 1709209800123.456, "tz": 1709209800000},
        **{"lst": [1, 2], "rec": {"a": 1, "b": "x"}, "dict": {"k": 1}, "u": "88188cca-5b19-408b-a4c2-31eb2fdf21f0"},
    }
    assert nulls == {**dict.fromkeys(values), "id": 2}
    (other,) = _told(packages, uri, "rows", OTHER_KINDS)
    assert other == (
        '{"u": 1, "e": "a", "h": 170141183460469231731687303715884105727, "uh": "2", "t": "12:00:00+02", "b": "101", '
        '"n": 1704067200123.4568, "a": [1,2]}'
    )
    # Months, days, and nanoseconds in two halves, each of 32 bits.
    assert _told(packages, uri, "rows", "SELECT INTERVAL '1 month 2 days 3 seconds' AS i") == ['{"i": [1,2,-1294967296,0]}']


def test_tables_and_errors(packages: Path, uri: str) -> None:
    (table,) = _told(packages, uri, "tables", "k_nds")
    assert json.loads(table) == {"catalog_name": "volley", "db_schema_name": "main", "table_name": "kinds", "table_type": "TABLE"}
    error = _told(packages, uri, "rows", "SELECT * FROM nowhere")[0]
    assert error == "NOT_FOUND there is no table 'nowhere' (line 1, column 15)"


WITHOUT = {"list_view": '"ListView" (25)', "large_list_view": '"LargeListView" (26)', "run_end_encoded": '"RunEndEncoded" (22)'}
"""Types that Arrow's library for JavaScript does not have."""


def test_parameters_of_every_type_and_of_several_rows(packages: Path, uri: str, tmp_path: Path) -> None:
    write_parameters(tmp_path)
    refused = _told(packages, uri, "parameters", str(tmp_path), ASKED)
    lacking = {name: WITHOUT[name.partition("<")[0]] for name in kernel_answers() if name.partition("<")[0] in WITHOUT}
    assert sorted(refused) == sorted(f"{name}.parameters\tUnrecognized type: {kind}" for name, kind in lacking.items())
    assert answers(tmp_path) == {name: answer for name, answer in kernel_answers().items() if name not in lacking}


def test_a_sessions_time_out_ends_the_query(packages: Path, uri: str) -> None:
    refused, error, *_, after = _told(packages, uri, "in a session", endless("node_session"), "SELECT 42")
    assert (refused, after) == ("refused 0", '{"42": 42}')
    assert error.startswith(
        "DEADLINE_EXCEEDED the query was stopped: it has taken longer than the 1 s that its session gives to a statement"
    )
    assert states_of_endless(uri, "node_session") == ["killed"]


def test_a_deadline_and_a_cancel_end_the_query(packages: Path, uri: str) -> None:
    assert _told(packages, uri, "with a deadline", endless("node"))[0].startswith("DEADLINE_EXCEEDED")
    assert _told(packages, uri, "cancelled", endless("node")) == ["CANCELLED Cancelled on client"]
    assert states_of_endless(uri, "node") == ["killed", "killed"]
