from __future__ import annotations

import pyarrow as pa

from tui.actions.search import find
from tui.link.row_source import RowSpan


def test_search_goes_on_from_where_one_is_in_both_directions() -> None:
    table = pa.table({"n": [1, 22, 3], "t": ["two", None, "TWO"]})
    pieces = [RowSpan(0, table), RowSpan(100, table)]
    assert find(pieces, "two", 0, forward=True) == (0, 1)
    assert find(pieces, "two", 1, forward=True) == (2, 1)
    assert find(pieces, "two", 3, forward=True) == (100, 1)
    assert find(pieces, "two", 99, forward=False) == (2, 1)
    assert find(pieces, "22", 0, forward=True) == (1, 0)
    assert find(pieces, "none", 0, forward=True) is None


def test_search_looks_into_nested_and_binary_values() -> None:
    pieces = [RowSpan(0, pa.table({"l": [["ab"], ["cd"]], "b": [b"\x01", b"\x02"]}))]
    assert find(pieces, "cd", 0, forward=True) == (1, 0)
    assert find(pieces, "x02", 0, forward=True) == (1, 1)
