"""What a division costs and saves, in bytes, and the shares that it makes.

All is estimated from what the planner knows without reading: bytes and rows of row groups, and what kind of answer a block gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.distribute.divide import NotDivisible
from planner.distribute.ranges import KeyedScan, aligned_shares
from planner.distribute.two_steps import Kind
from planner.logical import Scan
from planner.options import PlanOptions
from planner.physical import Share
from planner.sizes import format_size
from planner.splits import ScanExtent, parallel_splits, shares_of

LEAST_GAIN = 1.25
"""So much more than a share of the bytes each worker is taken to have to do with: shares are never quite alike."""
WHOLE_PART = 8
"""Shares are made larger, and fewer, until what each reads whole is at most one such part of what it has for itself."""
_ANSWERED: Mapping[Kind, float] = {"row": 0.0, "first": 0.02, "groups": 0.2, "distinct": 0.3, "rows": 1.0, "columns": 1.0}
"""About how large the answers of shares are, next to what was read for them, by the kind of the partial block."""
_FILTERED = 0.3
"""About how many rows a condition leaves."""

Divided = Mapping[str, str | None]
"""The names of scans that are divided, with the columns by whose ranges they are; None: their rows lie anywhere."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one query, whose scans have ``extents``."""

    options: PlanOptions
    extents: Mapping[str, ScanExtent]

    def answers(self, parts: Sequence[Scan], answered: Kind | None) -> float:
        """About how many bytes all shares of ``parts`` answer with together; ``answered``: with what, None for rows of the result.

        Raises ``NotDivisible`` where that might be too much for one worker.
        """
        answers = 0.0 if answered is None else _ANSWERED[answered] * self.bytes(parts)
        if answers > self.options.gather_bytes:
            most = format_size(self.options.gather_bytes)
            raise NotDivisible(f"the shares may answer with {format_size(answers)}, and one worker is to hold {most} at most")
        return answers * _FILTERED if any(scan.predicates for scan in parts) else answers

    def saved(self, parts: Sequence[Scan], whole: Sequence[Scan], shares: Sequence[Share], answers: float) -> float:
        """Bytes that a block spares the busiest worker, next to one worker that does it all; below 0 where it costs more.

        It divides ``parts`` into ``shares``, which answer with so many bytes, and reads ``whole``.
        """
        return self._spared(parts, whole, shares) - answers - self.options.start_bytes

    def shares(self, parts: Sequence[Scan], divided: Divided, whole: Sequence[Scan]) -> tuple[Share, ...]:
        """Shares of ``parts``. Raises ``NotDivisible`` where row groups do not lie in ranges of the keys."""
        assert parts, "a block is cut because of a table in it"
        options = self.options
        beside = WHOLE_PART * self.bytes(whole)
        own = self.bytes(parts) * (_FILTERED if any(scan.predicates for scan in parts) else 1)
        each = max(1, min(options.splits_per_worker, int(own / beside))) if beside else options.splits_per_worker
        if all(divided[scan.name] is None for scan in parts):
            (scan,) = parts
            least = 0 if options.forced else options.split_rows
            splits = parallel_splits(scan, self.extents[scan.name], options.workers * each, least, options.max_split_rows)
            return shares_of(scan.name, splits)
        keyed = [KeyedScan(scan, key, self.extents[scan.name]) for scan in parts if (key := divided[scan.name]) is not None]
        for several in range(each, 0, -1):
            shares = aligned_shares(keyed, options.workers * several)
            if shares is not None:
                return shares
        raise NotDivisible("they are not written in the order of that key")

    def bytes(self, scans: Iterable[Scan]) -> int:
        """About how much memory the scans' rows take, decoded, before any condition."""
        return sum(self._size(scan) for scan in scans)

    def _size(self, scan: Scan) -> int:
        extent = self.extents[scan.name]
        if any(file.groups is None for file in extent.files):
            return sum(file.file.size_bytes for file in extent.files)
        return extent.decoded_bytes(scan.needed)

    def _spared(self, parts: Sequence[Scan], whole: Sequence[Scan], shares: Sequence[Share]) -> float:
        divided, repeated, workers = self.bytes(parts), self.bytes(whole), self.options.workers
        rounds = -(-len(shares) // workers)
        rows = [share.rows or 0 for share in shares]
        largest = max(rows) / sum(rows) if any(rows) else 1 / len(shares)
        each = divided * max(largest * rounds, 1 / workers) + repeated * rounds
        return divided + repeated - LEAST_GAIN * each
