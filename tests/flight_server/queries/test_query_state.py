from __future__ import annotations

import pytest

from flight_server.queries.query_state import Completed, Failed, Killed, QueryState, Started
from planner.errors import VolleyError


def test_a_query_runs_and_completes() -> None:
    state = QueryState(submitted_at=1.0).on(Started(), 2.0).on(Completed(), 3.0)
    assert (state.phase, state.submitted_at, state.started_at, state.ended_at) == ("completed", 1.0, 2.0, 3.0)


@pytest.mark.parametrize(("event", "phase"), [(Failed(VolleyError("x")), "failed"), (Killed(VolleyError("x")), "killed")])
def test_the_first_ending_counts(event: Failed | Killed, phase: str) -> None:
    state = QueryState(submitted_at=1.0).on(Started(), 2.0).on(event, 3.0)
    assert state.phase == phase
    assert state.on(Completed(), 4.0) is state
    assert state.on(Failed(VolleyError("later")), 4.0) is state


def test_a_queued_query_can_be_killed_before_it_starts() -> None:
    state = QueryState(submitted_at=1.0).on(Killed(VolleyError("by its owner")), 2.0)
    assert (state.phase, state.started_at, state.ended) == ("killed", None, True)


def test_a_query_that_never_ran_cannot_complete() -> None:
    with pytest.raises(AssertionError):
        QueryState(submitted_at=1.0).on(Completed(), 2.0)
