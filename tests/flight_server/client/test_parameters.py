"""Values beside a statement: by name or in their order, each of the type that the server announces for its place."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from flight_server.client import ClientError
from flight_server.client.parameters import bound, shared, typed_row


def test_values_in_their_order_may_look_like_names() -> None:
    assert bound("SELECT ?, $2", ["a=b", "NULL"]) == ("SELECT ?, $2", ["a=b", None])


def test_names_become_numbers_of_the_same_width() -> None:
    sql = "SELECT $from, '$from', $to -- $other\nWHERE x = $from::int"
    expected = "SELECT $1   , '$from', $2  -- $other\nWHERE x = $1   ::int"
    assert bound(sql, ["to=a=b", "from=1"]) == (expected, ["1", "a=b"])


@pytest.mark.parametrize(
    ("sql", "given", "message"),
    [
        ("SELECT $a, $b", ["a=1"], r"the parameter \$b has no value\ngive b=value"),
        ("SELECT $a", ["a=1", "b=2"], r"no parameter \$b\nthere is \$a"),
        ("SELECT $a", ["1"], r"the value '1' has no name\nthere is \$a: give a=value"),
        ("SELECT $a", ["a=1", "a=2"], "given twice"),
        ("SELECT $a, ?", ["a=1"], "some|others without"),
        ("SELECT $a", [], r"\$a has no value"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_asked(sql: str, given: list[str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        bound(sql, given)


def test_each_of_several_statements_takes_the_values_that_it_asks_for() -> None:
    statements = ["SELECT $a", "SELECT 1", "SELECT $b, $a"]
    assert shared(statements, ["b=2", "a=1"]) == [["a=1"], [], ["b=2", "a=1"]]
    assert shared(statements, ["a=1"]) == [["a=1"], [], ["a=1"]]
    assert shared(["SELECT ?, ?", "SELECT 1", "SELECT $1"], ["a=1", "b"]) == [["a=1", "b"], [], ["a=1", "b"]]
    assert shared(statements, []) == [[], [], []]


@pytest.mark.parametrize(
    ("statements", "given", "message"),
    [
        (["SELECT $a", "SELECT $b"], ["c=1"], r"there is no parameter \$c\nthere are \$a, \$b"),
        (["SELECT $a", "SELECT $b"], ["1"], r"the value '1' has no name\nthere are \$a, \$b: give a=value"),
        (["SELECT $a", "SELECT ?"], ["a=1"], "some parameters of the statements have names, and others have none"),
        (["SELECT 1", "SELECT '$a'"], ["a=1"], "no statement has a parameter, and 1 value was given"),
    ],
)
def test_a_value_that_no_statement_takes_is_told(statements: list[str], given: list[str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        shared(statements, given)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", pa.int64(), 7),
        ("1.50", pa.int64(), Decimal("1.50")),
        ("0.1", pa.float64(), Decimal("0.1")),
        ("1e3", pa.float64(), 1000.0),
        ("170141183460469231731", pa.int64(), Decimal("170141183460469231731")),
        ("2026-01-02", pa.date32(), datetime.date(2026, 1, 2)),
        ("2026-01-02 03:04:05.123456", pa.timestamp("ms"), datetime.datetime(2026, 1, 2, 3, 4, 5, 123456)),
        ("2026-1-2", pa.date32(), "2026-1-2"),
        ("true", pa.bool_(), True),
        ("7", pa.string(), "7"),
        (None, pa.int64(), None),
        (7, pa.string(), 7),
    ],
)
def test_texts_become_what_the_place_wants(text: object, kind: pa.DataType, value: object) -> None:
    assert typed_row([text], pa.schema([("parameter_1", kind)])).to_pylist() == [{"parameter_1": value}]


def test_what_is_no_number_and_what_is_too_few() -> None:
    schema = pa.schema([("parameter_1", pa.int64()), ("parameter_2", pa.int64())])
    with pytest.raises(ClientError, match="the value 'seven' of parameter 2 is no bigint"):
        typed_row(["7", "seven"], schema)
    with pytest.raises(ClientError, match="the statement has 2 parameters, and 1 value was given"):
        typed_row(["7"], schema)
