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
from planner.splits import ScanExtent, parallel_splits, shares_of

LEAST_GAIN = 1.25
"""So much more than a share of the bytes each worker is taken to have to do with: shares are never quite alike."""
WHOLE_PART = 8
"""Shares are made larger, and fewer, until what each reads whole is at most one such part of what it has for itself."""
OTHERS_WORK = 0.5
"""What all workers read more than one would counts so much next to what the busiest one reads: they have other queries, too."""
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

    def saved(self, parts: Sequence[Scan], whole: Sequence[Scan], shares: Sequence[Share], answered: Kind | None) -> float:
        """Bytes that a block spares the busiest worker, next to one worker that does it all; below 0 where it costs more.

        It divides ``parts`` into ``shares`` and reads ``whole``; ``answered``: what each share answers with, None for rows of the result.
        Raises ``NotDivisible`` where the answers might be too large for one worker.
        """
        answers = 0.0 if answered is None else _ANSWERED[answered] * self.bytes(parts)
        if answers > self.options.gather_bytes:
            raise NotDivisible("what the shares answer may take more memory than one worker has for it")
        if any(scan.predicates for scan in parts):
            answers *= _FILTERED
        return self._spared(parts, whole, shares) - answers - self.options.start_bytes

    def shares(self, parts: Sequence[Scan], divided: Divided, whole: Sequence[Scan], *, streams: bool = False) -> tuple[Share, ...]:
        """Shares of ``parts``; if it ``streams``, they answer with rows of the result.

        Raises ``NotDivisible`` where row groups do not lie in ranges of the keys.
        """
        assert parts, "a block is cut because of a table in it"
        options = self.options
        beside = WHOLE_PART * self.bytes(whole)
        own = self.bytes(parts) * (_FILTERED if any(scan.predicates for scan in parts) else 1)
        most = options.splits_per_worker
        if not options.forced:
            # Each share costs some milliseconds beside its work: opening files, binding, a lease and an ack.
            most = max(1, min(most, self._values(parts) // (options.workers * options.share_values)))
        each = max(1, min(most, int(own / beside))) if beside else most
        if all(divided[scan.name] is None for scan in parts):
            (scan,) = parts
            least = 0 if options.forced else options.split_rows
            largest = max(options.max_split_rows, options.share_values // max(1, len(scan.needed))) if streams else None
            splits = parallel_splits(scan, self.extents[scan.name], options.workers * each, least, largest)
            return shares_of(scan.name, splits)
        keyed = [KeyedScan(scan, key, self.extents[scan.name]) for scan in parts if (key := divided[scan.name]) is not None]
        for several in range(each, 0, -1):
            shares = aligned_shares(keyed, options.workers * several)
            if shares is not None:
                return shares
        raise NotDivisible("row groups do not lie in ranges of the key")

    def bytes(self, scans: Iterable[Scan]) -> int:
        """About how much memory the scans' rows take, decoded, before any condition."""
        return sum(self._size(scan) for scan in scans)

    def _values(self, scans: Iterable[Scan]) -> int:
        """How many values the scans read; files that do not tell have eight bytes for each."""
        rows = ((scan, self.extents[scan.name].rows) for scan in scans)
        return sum(self._size(scan) // 8 if count is None else count * max(1, len(scan.needed)) for scan, count in rows)

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
        return divided + repeated - LEAST_GAIN * each - OTHERS_WORK * repeated * (len(shares) - 1)
