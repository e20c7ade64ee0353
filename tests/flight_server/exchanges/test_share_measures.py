from __future__ import annotations

import pytest

from flight_server.exchanges import share_measures
from flight_server.exchanges.share_measures import ShareMeasures
from flight_server.protocol.messages import InstanceStatus, ShareSpread


def report(records: int, rows: int, bytes_: int = 0, seconds: float = 0.0) -> InstanceStatus:
    """What an instance has done so far, all in all."""
    return InstanceStatus("w", records, rows, bytes_, seconds)


def test_each_share_is_what_reports_differ_by() -> None:
    measures = ShareMeasures()
    for instance, told in (
        ("w1/0", report(1, 10, 100, 0.5)),
        ("w2/0", report(1, 40, 400, 1.0)),
        ("w1/0", report(2, 30, 300, 0.75)),
    ):
        measures.note(instance, told)
    assert measures.spread() == ShareSpread(3, 40, 20, 400, 200, 1.0, 0.5)


def test_one_share_has_no_spread() -> None:
    measures = ShareMeasures()
    assert measures.spread() is None
    measures.note("w1/0", report(1, 10))
    assert measures.spread() is None


def test_a_report_of_nothing_new_is_no_share() -> None:
    measures = ShareMeasures()
    for _ in range(3):
        measures.note("w1/0", report(1, 10))
    assert measures.spread() is None


def test_shares_are_measured_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_measures, "MOST_MEASURED", 5)
    measures = ShareMeasures()
    for number in range(1, 20):
        measures.note("w1/0", report(number, number))
    spread = measures.spread()
    assert spread is not None
    assert (spread.shares, spread.rows_most, spread.rows_median) == (5, 1, 1)
