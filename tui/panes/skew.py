"""How unevenly an operator's work is spread: over its shares, and over the workers."""

from __future__ import annotations

from flight_server.protocol.messages import InstanceStatus, OperatorStatus, ShareSpread
from tui.draw import amounts

SKEW_SHOWN = 1.5
"""From here on it is lit: the largest share next to the median, or the busiest instance next to the mean of all."""
LEAST_SECONDS = 0.05
"""Shares that differ by less are not slower than others in any way that somebody would care about."""
BARS = " ▁▂▃▄▅▆▇█"
MOST_BARS = 8


def skew(operator: OperatorStatus) -> float:
    """The largest share over the median, by time or rows; before two are done, the rows of the busiest instance over the mean of all.

    0 where there is nothing to compare.
    """
    if operator.spread is not None:
        return _share_skew(operator.spread)
    rows = [instance.rows for instance in operator.instances]
    if len(rows) < 2 or not sum(rows):
        return 0.0
    return max(rows) * len(rows) / sum(rows)


def _share_skew(spread: ShareSpread) -> float:
    by_rows = spread.rows_most / spread.rows_median if spread.rows_median else 0.0
    slower = spread.seconds_most - spread.seconds_median >= LEAST_SECONDS and spread.seconds_median > 0
    return max(by_rows, spread.seconds_most / spread.seconds_median if slower else 0.0)


def slowest(operator: OperatorStatus) -> InstanceStatus | None:
    """The instance that takes clearly longer than the others do on average; None if none does."""
    if len(operator.instances) < 2:
        return None
    found = max(operator.instances, key=lambda instance: instance.seconds)
    mean = sum(instance.seconds for instance in operator.instances) / len(operator.instances)
    return found if mean > 0 and found.seconds >= SKEW_SHOWN * mean else None


def worker_bars(operator: OperatorStatus) -> str:
    """A bar for each worker, as high as the time that it spent next to the busiest; nothing for fewer than two workers."""
    spent: dict[str, float] = {}
    for instance in operator.instances:
        spent[instance.worker_id] = spent.get(instance.worker_id, 0.0) + instance.seconds
    most = max(spent.values(), default=0.0)
    if len(spent) < 2 or most <= 0:
        return ""
    bars = "".join(BARS[max(1, round(seconds / most * (len(BARS) - 1)))] if seconds else "·" for seconds in spent.values())
    return bars if len(bars) <= MOST_BARS else bars[: MOST_BARS - 1] + "…"


def spread_words(spread: ShareSpread) -> str:
    """``largest of 14 shares: 1.17 s (×6.2), 4 rows (×1.0)``: next to the median."""
    seconds = _times(amounts.seconds(spread.seconds_most), spread.seconds_most, spread.seconds_median)
    rows = _times(f"{amounts.short_count(spread.rows_most)} rows", spread.rows_most, spread.rows_median)
    return f"largest of {spread.shares} shares: {seconds}, {rows}"


def _times(told: str, most: float, middle: float) -> str:
    return f"{told} (×{most / middle:.1f})" if middle > 0 else told
