"""What the caller decides about planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.limits import DEFAULT_LIMITS, SqlLimits

Distribution = Literal["auto", "always", "never"]
"""Where queries are divided among workers: where it saves something, wherever it can be done, nowhere."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How far to distribute, and the limits on the statement.

    With one worker everything is one fragment. With more, a table of at least ``distribute_rows`` rows (after pruning) may be divided into
    shares, where that saves something and what they answer takes no more than ``gather_bytes``: one for each worker, or up to
    ``splits_per_worker`` where each has ``share_values`` values (rows times columns) to read, which take about half a second: to open a
    large file again for each share takes some 30 ms. None has fewer than ``split_rows`` rows. Where shares answer with rows of the result,
    which wait for their turn, they are smaller; ``max_split_rows`` rows are never too many. To start a block on all workers is taken to
    cost as much as to read ``start_bytes``.
    Answers of ``final_bytes`` and more are put together on all workers, share by share, and rows of ``sort_bytes`` and more are sorted so.
    Keys that may spare ``filter_bytes`` of files are read before the scan which they prune; with 0, or "always", wherever that is right.
    ``distribute`` "always" (or no ``distribute_rows`` at all) divides wherever it is possible, whatever it costs; "never" nowhere. Of all
    ways to divide that save most is taken. With "always" it is the one that ``way`` counts, from 0 on and around, ``by_hash`` those with
    hash exchanges before all others: tests are to see each of them.
    ``prune_row_groups`` off leaves row groups to the kernel, which prunes them itself where it reads whole files.
    ``in_session``: somebody keeps what a statement sets for those after it. ``timeout_seconds`` (0: none) is the statement's own, as SHOW
    tells it, and so is ``server_version``.
    """

    workers: int = 1
    distribute: Distribution = "auto"
    distribute_rows: int = 200_000
    start_bytes: int = 64 << 20
    filter_bytes: int = 16 << 20
    splits_per_worker: int = 4
    split_rows: int = 100_000
    max_split_rows: int = 1_000_000
    share_values: int = 100_000_000
    gather_bytes: int = 2 << 30
    final_bytes: int = 32 << 20
    sort_bytes: int = 64 << 20
    way: int = 0
    by_hash: bool = False
    prune_row_groups: bool = True
    in_session: bool = False
    timeout_seconds: float = 0.0
    server_version: str = ""
    limits: SqlLimits = DEFAULT_LIMITS

    @property
    def forced(self) -> bool:
        """Whether everything is divided that can be."""
        return self.distribute == "always" or self.distribute_rows == 0

    @property
    def filters_forced(self) -> bool:
        """Whether every scan has runtime filters that may have some."""
        return self.distribute == "always" or self.filter_bytes == 0
