"""Where the outputs of a hash exchange's shares are: pure, without clock or thread.

Each share counts once: by the worker whose attempt was acknowledged, and that has not been lost since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress


@dataclass(frozen=True, slots=True)
class BucketSizes:
    """How much of one output is in each bucket. Both have an entry for each bucket."""

    rows: tuple[int, ...]
    bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OutputMade:
    """A worker keeps a share's output, and its attempt is acknowledged."""

    share: int
    worker_id: str
    sizes: BucketSizes


@dataclass(frozen=True, slots=True)
class WorkerGone:
    """A worker takes no more part, and what it keeps is lost."""

    worker_id: str


@dataclass(slots=True)
class BucketPlaces:
    """The outputs of ``shares`` shares in ``buckets`` buckets. Not thread-safe."""

    shares: int
    buckets: int
    _made: dict[int, OutputMade] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _rows: list[int] = field(default_factory=list)
    _bytes: list[int] = field(default_factory=list)
    _holders: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rows, self._bytes, self._holders = ([0] * self.buckets for _ in range(3))

    @property
    def complete(self) -> bool:
        """Whether every share has an output somewhere."""
        return len(self._made) == self.shares

    @property
    def done(self) -> int:
        """How many shares have one."""
        return len(self._made)

    def on(self, event: OutputMade | WorkerGone) -> list[int]:
        """The shares that have to be made again for what happened, in their order.

        The first attempt that counts is the one that is read; what a worker makes that is gone never does.
        """
        match event:
            case OutputMade(share, worker_id, sizes):
                assert 0 <= share < self.shares, f"share {share} of {self.shares}"
                assert len(sizes.rows) == len(sizes.bytes) == self.buckets, "sizes of each bucket"
                if worker_id in self._gone:
                    return [share] if share not in self._made else []
                if share not in self._made:
                    self._made[share] = event
                    self._count(sizes, 1)
                return []
            case WorkerGone(worker_id):
                self._gone.add(worker_id)
                lost = sorted(share for share, made in self._made.items() if made.worker_id == worker_id)
                for share in lost:
                    self._count(self._made.pop(share).sizes, -1)
                return lost

    def by_worker(self) -> dict[str, list[int]]:
        """Which shares are to be read from which worker, in their order."""
        places: dict[str, list[int]] = {}
        for share in sorted(self._made):
            places.setdefault(self._made[share].worker_id, []).append(share)
        return places

    def rows(self) -> int:
        """All rows that are there."""
        return sum(self._rows)

    def bytes_by_bucket(self) -> Sequence[int]:
        """The bytes that are there, for each bucket."""
        return tuple(self._bytes)

    def holders_by_bucket(self) -> Sequence[int]:
        """How many shares have rows there, for each bucket."""
        return tuple(self._holders)

    def _count(self, sizes: BucketSizes, sign: int) -> None:
        for bucket, (rows, size) in enumerate(zip(sizes.rows, sizes.bytes, strict=True)):
            self._rows[bucket] += sign * rows
            self._bytes[bucket] += sign * size
            self._holders[bucket] += sign * (rows > 0)


def part_of(shares: Sequence[int], part: tuple[int, int] | None) -> list[int]:
    """Those of ``shares`` whose rows are in a part, ``(which, of how many)``; all, without one.

    By whole shares, which hold the same rows whoever makes them again; the order of their rows may be another then.
    """
    if part is None:
        return list(shares)
    which, count = part
    return list(compress(shares, (share % count == which for share in shares)))
