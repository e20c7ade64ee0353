from __future__ import annotations

import pyarrow as pa
import pytest

from flight_server.protocol.messages import QueryStatus
from tests.tui.fake_server import FakeServer, Unreachable
from tui.link.own_queries import own_query


def test_the_answer_is_whole_and_nothing_of_it_stays() -> None:
    server = FakeServer({"t": pa.table({"n": list(range(2500))})})
    found = own_query(server, "SELECT n FROM t ORDER BY n", "sample")
    assert found.column(0).to_pylist() == list(range(2500))
    assert (server.dropped, server.queries(everything=True)) == (["q1"], [])


def test_while_it_runs_its_purpose_marks_it() -> None:
    seen: list[tuple[str, list[str]]] = []

    class Watching(FakeServer):
        def drop(self, query_id: str) -> QueryStatus | None:
            seen.append((self.statuses[query_id].purpose, [line.query_id for line in self.queries()]))
            return super().drop(query_id)

    own_query(Watching(), "SELECT 1", "chart")
    assert seen == [("chart", [])]


def test_an_answer_is_whole_though_it_cannot_be_dropped() -> None:
    class Stubborn(FakeServer):
        def drop(self, query_id: str) -> QueryStatus | None:
            raise Unreachable("gone")

    assert own_query(Stubborn(), "SELECT 1 AS n", "sample").to_pylist() == [{"n": 1}]


def test_what_is_refused_is_told() -> None:
    with pytest.raises(Exception, match="unexpected"):
        own_query(FakeServer(), "SELECT !", "sample")
