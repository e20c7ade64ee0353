"""Each example of docs/sql.md gives the answer that stands beside it; what it calls refused is refused, and the alternative runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.cli.sample_data import write_sample_data
from flight_server.client import Client
from flight_server.client.text_columns import as_text
from flight_server.endpoints.prepared import MAX_PARAMETER_ROWS
from flight_server.errors import ClientError
from flight_server.process.launch import embedded
from flight_server.settings.config import Config
from planner.errors import Status
from planner.limits import SqlLimits
from planner.survey import MAX_PARAMETERS

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text(encoding="utf-8")
SECTIONS = {text.partition("\n")[0]: text.splitlines() for text in PAGE.split("\n## ")[1:]}
REFUSALS_SECTION = "Refused, and what to write instead"
_ROW = re.compile(r"^\| `(?P<sql>.+?)` \| (?:`(?P<answer>.*?)`|error: (?P<error>.*?)) \|")
_REFUSAL = re.compile(r"^\| `(.+?)` \| `(.+?)` \|")
SHORT_SECTION = "\n### Short for\n"
EXAMPLES = [
    match.groupdict()
    for title in ("Numbers", "NULL", "Strings", "Dates and times")
    for line in SECTIONS[title]
    if (match := _ROW.match(line)) is not None
]
SHORT = [match.groups() for line in PAGE.partition(SHORT_SECTION)[2].partition("\n## ")[0].splitlines() if (match := _REFUSAL.match(line))]
REFUSALS = [match.groups() for line in SECTIONS[REFUSALS_SECTION] if (match := _REFUSAL.match(line)) is not None]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    data = str(tmp_path_factory.mktemp("sql-docs"))
    write_sample_data(data, "small", Config())
    config = Config(data_roots=(data,), threads=1, memory_bytes=512 << 20)
    with embedded(config) as uri, Client(uri) as connected:
        yield connected


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 50
    assert len(REFUSALS) > 15
    assert len(SHORT) > 8


@pytest.mark.parametrize("example", EXAMPLES, ids=[str(example["sql"]) for example in EXAMPLES])
def test_example(client: Client, example: dict[str, str | None]) -> None:
    sql = "SELECT " + str(example["sql"]).replace("\\|", "|")
    if example["error"] is not None:
        with pytest.raises(ClientError, match=re.escape(example["error"])):
            client.query(sql)
        return
    answer = client.query(sql)
    values = [value for chunk in answer.column(0).chunks for value in as_text(chunk).to_pylist()]
    assert ", ".join("NULL" if value is None else value for value in values) == example["answer"]


@pytest.mark.parametrize(("refused", "instead"), REFUSALS, ids=[refused for refused, _ in REFUSALS])
def test_refused_and_instead(client: Client, refused: str, instead: str) -> None:
    with pytest.raises(ClientError) as error:
        client.query(refused)
    assert error.value.status in (Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.UNIMPLEMENTED)
    assert client.query(instead).num_columns > 0


@pytest.mark.parametrize(("short", "long"), SHORT, ids=[short for short, _ in SHORT])
def test_short_and_long(client: Client, short: str, long: str) -> None:
    answer, wanted = client.query(short), client.query(long)
    assert answer.num_rows > 0
    assert (answer.schema, answer.num_rows) == (wanted.schema, wanted.num_rows)


@pytest.mark.parametrize(
    "limit", [f"{SqlLimits().tokens:,}", f"{SqlLimits().chain_terms:,}", f"{MAX_PARAMETERS:,}", f"{MAX_PARAMETER_ROWS:,} rows"]
)
def test_limits_are_the_limits(limit: str) -> None:
    assert f"| {limit}" in "\n".join(SECTIONS["Limits"])
