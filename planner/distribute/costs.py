"""What a division costs and saves, in bytes, and the shares that it makes.

All is estimated from what the planner knows without reading: bytes and rows of row groups, and what kind of answer a block gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.catalog import Column
from planner.distribute.divide import NotDivisible
from planner.distribute.hashed import HashedTable
from planner.distribute.ranges import KeyedScan, aligned_shares, lie_in_ranges
from planner.distribute.reductions import Reducer
from planner.distribute.selectivity import rows_left
from planner.distribute.two_steps import Kind
from planner.logical import Scan
from planner.options import PlanOptions
from planner.physical import Share
from planner.sizes import format_size
from planner.splits import ScanExtent, parallel_shares

LEAST_GAIN = 1.25
"""So much more than a share of the bytes each worker is taken to have to do with: shares are never quite alike."""
STREAMED_VALUES = 20_000_000
"""Where rows of the result wait for the end of their share, it has no more values, which take about a tenth of a second."""
WHOLE_PART = 8
"""Shares are made larger, and fewer, until what each reads whole is at most one such part of what it has for itself."""
_ANSWERED: Mapping[Kind, float] = {"row": 0.0, "first": 0.02, "groups": 0.2, "distinct": 0.3, "rows": 1.0, "columns": 1.0}
"""About how large the answers of shares are, next to what was read for them, by the kind of the partial block."""
_FILTERED = 0.3
"""About how many rows a condition leaves."""
GUESSED = 0.6
"""So much is counted of what a hash division saves: how many rows its conditions leave is a guess."""
EXCHANGED = 1.0
"""What a byte costs that is sorted by bucket, kept, sent and taken up again, in bytes that are read."""
HELD: Mapping[Kind, float] = {"row": 0.0, "first": 0.0, "groups": 0.5, "distinct": 0.5, "rows": 1.0, "columns": 2.0}
"""What a byte costs that one worker holds before it can answer, in bytes that are read: for groups, sorts, windows and medians."""
BUCKETS_BYTES = 256 << 20
"""About how many bytes of buckets make a share."""
BUCKETS_PER_WORKER = 64
MOST_BUCKETS = 1024


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one query, whose scans have ``extents``."""

    options: PlanOptions
    extents: Mapping[str, ScanExtent]
    _sizes: dict[tuple[str, tuple[Column, ...]], int] = field(default_factory=dict)

    def answers(self, parts: Sequence[Scan], answered: Kind) -> float:
        """About how many bytes all shares of ``parts`` answer with together, where all that is known is with what kind of rows."""
        answers = _ANSWERED[answered] * self.bytes(parts)
        return answers * _FILTERED if any(scan.predicates for scan in parts) else answers

    def answers_by_hash(self, tables: Sequence[HashedTable], answered: Kind) -> float:
        """As :meth:`answers`, of shares of what goes through hash exchanges."""
        return _ANSWERED[answered] * sum(map(self.exchanged, tables))

    def together(self, answers: float, answered: Kind, *, shared: bool) -> float:
        """What it costs the busiest worker to put so many bytes of answers together: one has all, or, if they are ``shared``, each some.

        Below 0 where it is worth more to share that work than to send them. Raises ``NotDivisible`` where they might be too many for one.
        """
        options = self.options
        if shared:
            spared = HELD[answered] * answers * (1 - LEAST_GAIN / options.workers)
            return EXCHANGED * answers / options.workers + options.start_bytes - spared
        if answers > options.gather_bytes:
            most = format_size(options.gather_bytes)
            raise NotDivisible(f"the shares may answer with {format_size(answers)}, and one worker is to hold {most} at most")
        return answers

    def saved(self, parts: Sequence[Scan], whole: Sequence[Scan], shares: Sequence[Share], answers: float) -> float:
        """Bytes that a block spares the busiest worker, next to one worker that does it all; below 0 where it costs more.

        It divides ``parts`` into ``shares``, and reads ``whole``; ``answers``: what it costs to put theirs together.
        """
        return self._spared(parts, whole, shares) - answers - self.options.start_bytes

    def saved_by_hash(self, parts: Sequence[Scan], whole: Sequence[Scan], tables: Sequence[HashedTable], answers: float) -> float:
        """As :meth:`saved`, where ``parts`` go through hash exchanges, as ``tables``."""
        exchanged = sum(map(self.exchanged, tables))
        beside = self.bytes([reducer.scan for table in tables for reducer in table.reducers])
        read = self.bytes([table.scan for table in tables])
        alone = self.bytes(parts) + self.bytes(whole)
        rounds = max(1, min(self.options.splits_per_worker, exchanged / (BUCKETS_BYTES * self.options.workers)))
        each = (read + EXCHANGED * exchanged) / self.options.workers + beside + rounds * self.bytes(whole)
        spared = alone - LEAST_GAIN * each - answers - (1 + 2 * len(tables)) * self.options.start_bytes
        return spared * GUESSED if spared > 0 else spared

    def most_saved_by_hash(self, parts: Sequence[Scan]) -> float:
        """More than this cannot be saved by a hash division of ``parts``."""
        return (1 - LEAST_GAIN / self.options.workers) * self.bytes(parts) - 2 * self.options.start_bytes

    def exchanged(self, table: HashedTable) -> float:
        """About how many bytes go through a table's exchange."""
        return self.bytes([replace(table.scan, needed=table.given)]) * rows_left(table.scan.predicates) * table.reduced

    def reduces(self, table: HashedTable, reducer: Reducer) -> bool:
        """Whether it pays to read a small table for fewer rows in the exchange, and behind it."""
        spared = self.exchanged(table) * (1 - rows_left(reducer.scan.predicates)) * (EXCHANGED + 1)
        return self.options.forced or spared > self.options.workers * self.bytes([reducer.scan])

    def shares(
        self, parts: Sequence[Scan], keys: Mapping[str, str | None], whole: Sequence[Scan], *, streams: bool = False
    ) -> tuple[Share, ...]:
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
        if all(keys[scan.name] is None for scan in parts):
            (scan,) = parts
            least = 0 if options.forced else options.split_rows
            streamed = min(options.share_values, STREAMED_VALUES) // max(1, len(scan.needed))
            largest = max(options.max_split_rows, streamed) if streams else None
            return parallel_shares(scan, self.extents[scan.name], options.workers * each, least, largest)
        keyed = [KeyedScan(scan, key, self.extents[scan.name]) for scan in parts if (key := keys[scan.name]) is not None]
        wanted = range(options.workers * each, 0, -options.workers) if lie_in_ranges(keyed, options.workers) else ()
        for several in wanted:
            shares = aligned_shares(keyed, several)
            if shares is not None:
                return shares
        raise NotDivisible("they are not written in the order of that key")

    @property
    def buckets(self) -> int:
        """Into how many buckets rows are hashed."""
        return min(MOST_BUCKETS, BUCKETS_PER_WORKER * self.options.workers)

    def bytes(self, scans: Iterable[Scan]) -> int:
        """About how much memory the scans' rows take, decoded, before any condition."""
        return sum(self._size(scan) for scan in scans)

    def _values(self, scans: Iterable[Scan]) -> int:
        """How many values the scans read; files that do not tell have eight bytes for each."""
        rows = ((scan, self.extents[scan.name].rows) for scan in scans)
        return sum(self._size(scan) // 8 if count is None else count * max(1, len(scan.needed)) for scan, count in rows)

    def _size(self, scan: Scan) -> int:
        key = (scan.name, scan.needed)
        if key not in self._sizes:
            self._sizes[key] = self._counted(scan)
        return self._sizes[key]

    def _counted(self, scan: Scan) -> int:
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
