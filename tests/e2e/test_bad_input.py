"""Whatever comes in, a server says what is wrong with it, with the right status and nothing of its own insides, and goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from planner.errors import Status
from tests.e2e.refusals import no_insides
from tests.e2e.running_server import RunningServer

CHAIN = 100_000
DEEP = 10_000
MEGABYTES_5 = 5 << 20

INVALID = Status.INVALID_ARGUMENT


@pytest.fixture(scope="module", name="running")
def _running(lake: Path) -> Iterator[Callable[[], RunningServer]]:
    """The server of this module; another one once it is dead, so that one crash fails one test."""
    servers: list[RunningServer] = []

    def running() -> RunningServer:
        if not servers or servers[-1].process.poll() is not None:
            servers.append(RunningServer("--data", str(lake), "--threads", "2", "--memory", "2GB").__enter__())
        return servers[-1]

    yield running
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(name="server")
def _server(running: Callable[[], RunningServer]) -> RunningServer:
    return running()


Refuse = Callable[[str], ClientError]


@pytest.fixture(name="refused")
def _refused(server: RunningServer, places: list[str]) -> Iterator[Refuse]:
    """Runs a statement that must fail; checks what is said, and that the server goes on."""
    with Client(server.uri) as client:

        def refused(sql: str) -> ClientError:
            with pytest.raises(ClientError) as told:
                client.query(sql)
            no_insides(str(told.value), places)
            assert server.process.poll() is None
            assert client.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
            return told.value

        yield refused


CHAINS = {
    "or": "SELECT " + " OR ".join(["true"] * CHAIN),
    "and": "SELECT id FROM events WHERE " + " AND ".join(f"id <> {n}" for n in range(CHAIN)),
    "plus": "SELECT " + "+".join(["1"] * CHAIN),
    "minus": "SELECT 1" + " - 1" * CHAIN,
    "concat": "SELECT " + " || ".join(["'a'"] * CHAIN),
    "union": " UNION ALL ".join(["SELECT 1"] * CHAIN),
    "casts": "SELECT 1" + "::INT" * CHAIN,
    "joins": "SELECT 1 FROM kinds" + " CROSS JOIN kinds" * CHAIN,
    "commas": "SELECT 1 FROM " + ", ".join(["kinds"] * CHAIN),
    "subscripts": "SELECT [1]" + "[1]" * CHAIN,
    "dots": "SELECT a" + ".a" * CHAIN,
    "nots": "SELECT " + "NOT " * CHAIN + "true",
    "signs": "SELECT " + "- " * CHAIN + "1",
    "whens": "SELECT CASE " + "WHEN false THEN 1 " * CHAIN + "END FROM nowhere",
    "is null": "SELECT 1" + " IS NULL" * CHAIN,
    "ctes": "WITH " + ", ".join(f"t{n} AS (SELECT 1)" for n in range(CHAIN)) + " SELECT * FROM nowhere",
}
NESTS = {
    "parentheses": "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
    "open": "SELECT " + "(" * DEEP,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * DEEP + "kinds" + ")" * DEEP,
    "scalar subqueries": "SELECT " + "(SELECT " * DEEP + "1" + ")" * DEEP,
    "functions": "SELECT " + "abs(" * DEEP + "1" + ")" * DEEP,
    "cases": "SELECT " + "CASE WHEN true THEN " * DEEP + "1" + " END" * DEEP,
    "lists": "SELECT " + "[" * DEEP + "1" + "]" * DEEP,
    "structs": "SELECT " + "{'a': " * DEEP + "1" + "}" * DEEP,
    "ctes": "WITH a AS (" * DEEP + "SELECT 1" + ") SELECT * FROM a" * DEEP,
    "comments": "SELECT " + "/*" * DEEP + "*/" * (DEEP - 1) + " 1",
    "exists": "SELECT 1 WHERE " + "EXISTS (SELECT 1 WHERE " * DEEP + "true" + ")" * DEEP,
    "joins": "SELECT 1 FROM " + "(" * DEEP + "kinds" + " JOIN kinds ON true)" * DEEP,
    "types": "SELECT NULL::" + "STRUCT(a " * DEEP + "INT" + ")" * DEEP,
    "casts": "SELECT " + "CAST(" * DEEP + "1" + " AS INT)" * DEEP,
}
LONG = {
    "text": f"SELECT '{'x' * MEGABYTES_5}'",
    "space": "SELECT 1" + " " * MEGABYTES_5,
    "name": f"SELECT {'x' * MEGABYTES_5}",
    "list": "SELECT " + ", ".join(["1"] * (MEGABYTES_5 // 3)),
    "comment": f"SELECT 1 -- {'x' * MEGABYTES_5}",
    "quoted": f'SELECT "{"ä" * (MEGABYTES_5 // 2)}"',
}


@pytest.mark.parametrize("sql", CHAINS.values(), ids=CHAINS)
def test_a_hundred_thousand_terms(refused: Refuse, sql: str) -> None:
    assert refused(sql).status in (INVALID, Status.RESOURCE_EXHAUSTED, Status.NOT_FOUND)


@pytest.mark.parametrize("sql", NESTS.values(), ids=NESTS)
def test_nested_ten_thousand_deep(refused: Refuse, sql: str) -> None:
    assert refused(sql).status in (INVALID, Status.RESOURCE_EXHAUSTED)


@pytest.mark.parametrize("sql", LONG.values(), ids=LONG)
def test_five_megabytes(refused: Refuse, sql: str) -> None:
    error = refused(sql)
    assert error.status in (INVALID, Status.RESOURCE_EXHAUSTED)
    assert "MB" in str(error) or "bytes" in str(error) or "long" in str(error)


@pytest.mark.parametrize("terms", [300, 900, 2_000])
@pytest.mark.parametrize("joint", [" OR ", " AND ", " + ", " || ", "union"])
def test_long_chains_either_run_right_or_are_refused(server: RunningServer, places: list[str], terms: int, joint: str) -> None:
    if joint == "union":
        sql, truth = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(terms)), list(range(terms))
        sql = f"SELECT n FROM ({sql}) ORDER BY n"
    elif joint == " + ":
        sql, truth = "SELECT " + joint.join(f"id::BIGINT % {n + 1}" for n in range(terms)) + " AS n FROM odd WHERE id = 1", [terms - 1]
    elif joint == " || ":
        sql, truth = "SELECT length(" + joint.join(["word"] * terms) + ") AS n FROM odd WHERE id = 1", [terms]
    elif joint == " OR ":
        sql, truth = "SELECT id AS n FROM odd WHERE " + joint.join(f"id = {n + 4}" for n in range(terms)), [4]
    else:
        sql, truth = "SELECT id AS n FROM odd WHERE " + joint.join(f"id <> {n + 2}" for n in range(terms)), [1]
    with Client(server.uri) as client:
        try:
            answer = client.query(sql)
        except ClientError as error:
            no_insides(str(error), places)
            assert terms >= 900, "ordinary statements run"
        else:
            assert answer["n"].to_pylist() == truth


ODD_TEXTS = {
    "empty": "",
    "blank": " \n\t ",
    "comment": "-- nothing",
    "comments": "/* a */ -- b\n/* c /* d */ */",
    "semicolon": ";",
    "semicolons": ";;;",
    "open comment": "SELECT 1 /* and",
    "open string": "SELECT 'x",
    "open name": 'SELECT "x',
    "two": "SELECT 1; SELECT 2",
    "two hidden": "SELECT 1; /* */ DROP TABLE events",
    "zero byte": "SELECT 'a\0b'; SELECT 1",
    "half": "SELECT 1 +",
    "words": "this is not SQL",
    "emoji": "🦆",
    "order": "FROM WHERE SELECT",
    "dollar": "SELECT $$ open",
    "unbalanced": "SELECT (1",
    "bom": "\ufeff",
}


@pytest.mark.parametrize("sql", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_what_is_not_one_statement(refused: Refuse, sql: str) -> None:
    assert refused(sql).status in (INVALID, Status.UNIMPLEMENTED)


def test_one_statement_with_a_semicolon_and_comments_is_fine(client: Client) -> None:
    assert client.query("/* a */ SELECT 1 AS n; -- done\n").to_pylist() == [{"n": 1}]
    assert client.query("SELECT 'a;b' AS n").to_pylist() == [{"n": "a;b"}]


@pytest.mark.parametrize("text", [b"SELECT '\xff\xfe'", b"\x80", b"\xc3\x28 SELECT 1", b"SELECT 1\xed\xa0\x80"])
def test_invalid_utf_8(server: RunningServer, places: list[str], text: bytes) -> None:
    descriptor = flight.FlightDescriptor.for_command(text)
    with flight.connect(server.uri) as plain:
        for call in (plain.get_flight_info, plain.get_schema):
            with pytest.raises(pa.ArrowInvalid, match="UTF-8") as told:
                call(descriptor)
            no_insides(str(told.value).split(". gRPC client debug context")[0], places)


UNKNOWN = [
    ("SELECT * FROM evnts", Status.NOT_FOUND, "events"),
    ("SELECT * FROM Evens", Status.NOT_FOUND, "events"),
    ('SELECT * FROM "EVENT"', Status.NOT_FOUND, "events"),
    ("SELECT persn FROM events", INVALID, "person"),
    ("SELECT e.ammount FROM events e", INVALID, "amount"),
    ("SELECT x.id FROM events e", INVALID, "x"),
    ("SELECT kind_id FROM events JOIN kinds ON true", INVALID, "kind_id"),
    ("SELECT person, count(*) FROM events", INVALID, "GROUP BY"),
    ("SELECT nofunction(1)", INVALID, "nofunction"),
    ("SELECT length()", INVALID, "length"),
    ("SELECT 'a' + 1", INVALID, "a"),
    ("SELECT 1::nosuchtype", INVALID, "nosuchtype"),
    ("SELECT count(*) FROM events WHERE sum(id) > 1", INVALID, "WHERE"),
    ("SELECT 1 UNION SELECT 1, 2", INVALID, "column"),
    ("SELECT (SELECT id FROM odd)", INVALID, "row"),
    ("SELECT 9223372036854775807 + id FROM events", INVALID, "verflow"),
    ("SELECT 1 / (id - id) FROM events", INVALID, "ivision by zero"),
    ("SELECT person::INTEGER FROM events", INVALID, "person-"),
    ("SELECT error('my own words')", INVALID, "my own words"),
    ("SELECT id FROM events ORDER BY 7", INVALID, "out of range"),
    ("SELECT ?", INVALID, "parameter"),
]


@pytest.mark.parametrize(("sql", "status", "words"), UNKNOWN, ids=[sql for sql, _, _ in UNKNOWN])
def test_what_means_nothing(refused: Refuse, sql: str, status: Status, words: str) -> None:
    error = refused(sql)
    assert error.status is status
    assert words in str(error)


def test_an_error_shows_the_place(refused: Refuse) -> None:
    lines = str(refused("SELECT id,\n  persn\nFROM events")).splitlines()
    excerpt = next(number for number, line in enumerate(lines) if "persn" in line and "^" in lines[number + 1])
    assert lines[excerpt + 1].index("^") == lines[excerpt].index("persn")


NOT_READ_ONLY = [
    "CREATE TABLE t AS SELECT 1",
    "INSERT INTO events SELECT * FROM events",
    "DELETE FROM events",
    "DROP TABLE events",
    "UPDATE events SET id = 0",
    "SET threads = 1",
    "PRAGMA version",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "COPY events TO '/tmp/out.parquet'",
    "ATTACH ':memory:' AS m",
    "EXPORT DATABASE 'x'",
    "EXPLAIN ANALYZE DELETE FROM events",
    "WITH d AS (DELETE FROM events RETURNING *) SELECT * FROM d",
]


@pytest.mark.parametrize("sql", NOT_READ_ONLY)
def test_what_would_change_something(refused: Refuse, sql: str) -> None:
    error = refused(sql)
    assert error.status in (INVALID, Status.PERMISSION_DENIED, Status.UNIMPLEMENTED)
    assert re.search(r"refused|not supported|only queries", str(error))
