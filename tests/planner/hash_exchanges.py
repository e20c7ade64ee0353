"""Hash exchanges without servers: rows by the buckets that producers tell, in shares of neighbouring buckets, some of them cut up."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from planner.physical import ExchangeInput, Fragment, PlannedExchange, Share, ShareInput

MOST_SHARES = 6
PARTS = (2, 3)


@dataclass(frozen=True, slots=True)
class Bucketed:
    """What a hash exchange holds: its rows, in no order that means anything, and the bucket of each."""

    rows: pa.Table
    bucket: np.ndarray[tuple[int], np.dtype[np.uint16]]

    @classmethod
    def of(cls, exchange: PlannedExchange, produced: pa.Table) -> Bucketed:
        """What a producing fragment gave, whose last column is the bucket."""
        columns = [column.name for column in exchange.columns]
        assert produced.column_names[:-1] == columns, "a producer's columns are the exchange's, and the bucket"
        assert produced.schema.types[-1] == pa.uint16()
        mixed = produced.take(np.random.default_rng(len(produced)).permutation(len(produced)))
        bucket = mixed.column(mixed.num_columns - 1).to_numpy()
        assert not len(bucket) or bucket.max() < exchange.buckets
        return cls(mixed.select(range(len(columns))), bucket)

    def of_share(self, part: ShareInput) -> pa.Table:
        """The rows that a share has."""
        assert part.buckets is not None
        first, behind = part.buckets
        (places,) = np.nonzero((self.bucket >= first) & (self.bucket < behind))
        if part.part is not None:
            number, parts = part.part
            places = places[number::parts]
        return self.rows.take(places)


def shares_of_buckets(fragment: Fragment, exchanges: Mapping[int, PlannedExchange]) -> Iterator[Share]:
    """Shares as a runtime may make them, chosen by chance; the same for the same fragment."""
    arms = [arm for arm in fragment.inputs if isinstance(arm, ExchangeInput) and arm.bucketed]
    (buckets,) = {exchanges[arm.exchange].buckets for arm in arms}
    chance = random.Random(zlib.crc32(fragment.sql.encode()))
    bounds = sorted(chance.sample(range(1, buckets), min(buckets - 1, chance.randrange(MOST_SHARES))))
    for first, behind in zip((0, *bounds), (*bounds, buckets), strict=True):
        whole = [ShareInput(arm.name, buckets=(first, behind)) for arm in arms]
        cut = chance.choice([None, *(arm.name for arm in arms if arm.may_be_cut)])
        if cut is None:
            yield Share(tuple(whole))
            continue
        parts = chance.choice(PARTS)
        for number in range(parts):
            yield Share(
                tuple(ShareInput(one.name, buckets=one.buckets, part=(number, parts) if one.name == cut else None) for one in whole)
            )
