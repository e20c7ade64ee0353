from __future__ import annotations

import pytest

from tui.draw import amounts


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0 B"), (999, "999 B"), (1_000, "1.00 KB"), (12_345_678, "12.3 MB"), (999_000_000_000, "999 GB")]
)
def test_sizes(value: int, expected: str) -> None:
    assert amounts.size(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0031, "3 ms"), (1.254, "1.25 s"), (59.94, "59.9 s"), (125, "2 m 05 s"), (7800, "2 h 10 m")]
)
def test_times(value: float, expected: str) -> None:
    assert amounts.seconds(value) == expected


def test_counts_and_bars() -> None:
    assert [amounts.short_count(n) for n in (9_999, 12_345, 6_001_215)] == ["9,999", "12.3K", "6.00M"]
    assert [amounts.plural(n, "query") for n in (1, 2)] == ["1 query", "2 queries"]
    assert [amounts.bar(share, 4) for share in (0, 0.5, 1, 7, -1)] == ["    ", "██  ", "████", "████", "    "]
