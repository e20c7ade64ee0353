from __future__ import annotations

import pyarrow as pa
import pytest

from flight_server.endpoints.prepared import Bound, PreparedStatements
from flight_server.errors import BadRequest, UnknownHandle


def test_the_longest_unused_statement_is_closed_for_a_new_one() -> None:
    statements = PreparedStatements(limit=2)
    first, second = (statements.add(f"SELECT {number}", "", ()).handle.encode() for number in (1, 2))
    assert statements.get(first, "").sql == "SELECT 1"
    statements.add("SELECT 3", "", ())
    assert statements.get(first, "").sql == "SELECT 1"
    with pytest.raises(UnknownHandle, match="no such prepared statement"):
        statements.get(second, "")
    assert len(statements) == 2


def test_a_statement_is_its_owners() -> None:
    statements = PreparedStatements()
    handle = statements.add("SELECT 1", "ada", ()).handle.encode()
    with pytest.raises(UnknownHandle):
        statements.get(handle, "bob")
    statements.close(handle, "bob")
    assert statements.get(handle, "ada").owner == "ada"
    statements.close(handle, "ada")
    assert len(statements) == 0


def test_one_row_is_a_run_and_any_other_number_are_several() -> None:
    statements = PreparedStatements()
    handle = statements.add("SELECT ?", "", (pa.string(),)).handle.encode()
    rows = [(pa.scalar(number),) for number in range(3)]
    for number, bound in ((1, Bound(rows[0])), (3, Bound(runs=rows)), (0, Bound(runs=[]))):
        statements.bind(handle, "", pa.table({"": pa.array(range(number), pa.int64())}))
        assert statements.get(handle, "").bound() == bound


def test_values_must_be_as_many_as_placeholders() -> None:
    statements = PreparedStatements()
    handle = statements.add("SELECT ?, ?", "", (pa.string(), pa.int64())).handle.encode()
    with pytest.raises(BadRequest, match="has 2 parameters, but no values were bound"):
        statements.get(handle, "").bound()
    with pytest.raises(BadRequest, match="has 2 parameters, but 1 value was bound"):
        statements.bind(handle, "", pa.table({"a": [1]}))


def test_a_null_without_a_type_has_the_announced_one() -> None:
    statements = PreparedStatements()
    handle = statements.add("SELECT ?, ?", "", (pa.date32(), pa.int64())).handle.encode()
    statements.bind(handle, "", pa.table([pa.nulls(2), pa.array([1, None], pa.int8())], names=["", ""]))
    rows = statements.get(handle, "").bound().runs or []
    assert [[value.type for value in row] for row in rows] == [[pa.date32(), pa.int8()]] * 2
    assert [[value.as_py() for value in row] for row in rows] == [[None, 1], [None, None]]


def test_a_statement_without_parameters_is_run_once_whatever_is_bound() -> None:
    statements = PreparedStatements()
    handle = statements.add("SELECT 1", "", ()).handle.encode()
    for rows in (pa.table({}), pa.table({"a": [1, 2]}).select([])):
        statements.bind(handle, "", rows)
        assert statements.get(handle, "").bound() == Bound()
