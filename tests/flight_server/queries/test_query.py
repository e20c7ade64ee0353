"""What a query says of itself while it runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from flight_server.protocol.messages import OperatorStatus
from flight_server.queries.query import HandledQuery
from flight_server.queries.runs import Runs
from operators.results.materialize import ResultWriter
from tests.flight_server.queries.small_site import streamed


def test_progress_never_runs_backwards_though_there_is_more_to_do_than_was_known() -> None:
    """Shares of buckets are made while the query runs."""
    result = SimpleNamespace(rows=0, bytes=0, closed=False, expires_at=None, held=False, row_groups=[])
    runs = Runs(streamed("t", 1))
    query = HandledQuery("q", "", runs, cast(ResultWriter, SimpleNamespace(result=result)), "here")
    next(iter(runs))
    told = []
    for done, total in ((0, 4), (2, 4), (3, 20), (15, 20)):
        query.operators = lambda done=done, total=total: [  # type: ignore[misc]
            OperatorStatus("fragment-0", "producer", "scan t", records_total=total, records_done=done)
        ]
        told.append((query.line().progress, query.status().progress))
    assert told == [(0.0, 0.0), (0.5, 0.5), (0.5, 0.5), (0.75, 0.75)]
