"""The tables that witnesses read, as Parquet files of small row groups.

``low`` and ``high`` are written in the order of their key ``k``; each has keys that the other has not. ``holes`` has its NULL keys in its
last row group, ``many`` one key in many row groups; ``few`` has four rows, and is the only one that no key divides. ``spans`` has intervals
that are equal, but not alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.planner.memory_catalog import connect

KINDS = ("x", "y", None)


def write_small_lake(root: Path) -> None:
    """Writes the tables into a folder."""
    rows = range(90)
    keys = [n // 3 + n // 12 for n in rows]
    _write(root, "low", 9, {"k": keys, "v": [n * 7 % 11 or None for n in rows], "g": [KINDS[n % 3] for n in rows]})
    keys = [n // 2 for n in range(90) if n % 7 < 5]
    _write(root, "high", 6, {"k": keys, "w": [n * 3 % 37 for n, _ in enumerate(keys)]})
    held = [*range(0, 60, 2), None, None]
    _write(root, "holes", 4, {"k": held, "z": [n % 4 for n, _ in enumerate(held)]})
    often = [n // 12 for n in range(96)]
    _write(root, "many", 5, {"k": often, "m": [n % 9 for n, _ in enumerate(often)]})
    same = "CASE n % 3 WHEN 0 THEN INTERVAL 1 MONTH WHEN 1 THEN INTERVAL 30 DAY ELSE INTERVAL 720 HOUR END"
    spans = connect().sql(f"SELECT n, to_months(n // 6) + {same} AS span FROM range(24) t(n)")
    for number in range(4):
        (root / "spans").mkdir(exist_ok=True)
        spans.filter(f"n % 4 = {number}").write_parquet(str(root / "spans" / f"{number}.parquet"))
    _write(root, "few", 4, {"v": [1, 2, 3, None], "t": ["a", "b", None, "d"]})


def _write(root: Path, name: str, row_group: int, columns: Mapping[str, Sequence[Any]]) -> None:
    pq.write_table(pa.table(dict(columns)), root / f"{name}.parquet", row_group_size=row_group)
