"""Each example of docs/sql.md gives the answer that stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.client import Client
from flight_server.config import Config
from flight_server.errors import ClientError
from flight_server.launch import embedded
from flight_server.text_columns import as_text

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
_ROW = re.compile(r"^\| `(?P<sql>.+?)` \| (?:`(?P<answer>.*?)`|error: (?P<error>.*?)) \|")
EXAMPLES = [match.groupdict() for line in PAGE.read_text(encoding="utf-8").splitlines() if (match := _ROW.match(line)) is not None]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with embedded(Config(threads=1, memory_bytes=512 << 20)) as uri, Client(uri) as connected:
        yield connected


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) > 50


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
