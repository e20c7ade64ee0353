from __future__ import annotations

import pytest

from flight_server.protocol.messages import InstanceStatus, OperatorStatus, ShareSpread
from tests.tui.fake_server import OPERATORS
from tui.panes.skew import skew, slowest, spread_words, worker_bars


def spent(*seconds: float) -> OperatorStatus:
    """An operator on as many workers."""
    instances = [InstanceStatus(f"w{place}", rows=5, seconds=took) for place, took in enumerate(seconds)]
    return OperatorStatus("scan", "producer", "scan", instances=instances)


def test_the_busiest_instance_is_compared_with_the_mean() -> None:
    assert round(skew(OPERATORS[3]), 2) == 1.67
    found = slowest(OPERATORS[3])
    assert found is not None
    assert found.worker_id == "w1"


def test_equal_instances_are_no_skew() -> None:
    even = spent(1.0, 1.1)
    assert skew(even) == 1.0
    assert slowest(even) is None
    assert skew(spent(1.0)) == 0.0


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        (ShareSpread(9, rows_most=40, rows_median=10, seconds_most=2.0, seconds_median=1.0), 4.0),
        (ShareSpread(9, rows_most=10, rows_median=10, seconds_most=3.0, seconds_median=1.0), 3.0),
        (ShareSpread(9, rows_most=10, rows_median=10, seconds_most=0.03, seconds_median=0.001), 1.0),
        (ShareSpread(9, rows_most=10, rows_median=0, seconds_most=0.0, seconds_median=0.0), 0.0),
    ],
)
def test_the_largest_share_is_compared_with_the_median(spread: ShareSpread, expected: float) -> None:
    assert skew(OperatorStatus("scan", "producer", "scan", spread=spread)) == expected


def test_each_worker_has_a_bar() -> None:
    assert worker_bars(spent(2.0, 1.0, 0.01, 0.0)) == "█▄▁·"
    assert worker_bars(spent(2.0)) == ""
    assert worker_bars(spent(0.0, 0.0)) == ""
    assert worker_bars(spent(*[1.0] * 12)) == "███████…"


def test_instances_of_one_worker_are_one_bar() -> None:
    instances = [InstanceStatus("a", seconds=1.0), InstanceStatus("b", seconds=0.5), InstanceStatus("b", seconds=0.5)]
    assert worker_bars(OperatorStatus("scan", "producer", "scan", instances=instances)) == "██"


def test_the_largest_share_in_words() -> None:
    spread = ShareSpread(3, rows_most=9, rows_median=0, seconds_most=1.5, seconds_median=0.5)
    assert spread_words(spread) == "largest of 3 shares: 1.50 s (×3.0), 9 rows"
