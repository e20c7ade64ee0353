"""The inputs of a fragment that come in buckets, on the query handler: its shares are made of them, and instances here fetch them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow as pa

from flight_server.exchanges.bucket_pulls import BucketReader, BucketSource
from flight_server.exchanges.hash_output import HashOutput
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import BucketedArm
from flight_server.protocol.messages import WorkerStatus
from operators.cancellation import Cancellation
from operators.exchange.bucket_shares import bucket_shares
from operators.exchange.bucket_store import BucketStore
from planner.physical import ExchangeInput, Fragment, Share


class BucketedInputs:
    """Those of ``fragment``, of the query's ``hashes`` by exchange."""

    def __init__(self, fragment: Fragment, hashes: Mapping[int, HashOutput], site: Site) -> None:
        arms = [arm for arm in fragment.inputs if isinstance(arm, ExchangeInput) and arm.bucketed]
        self._arms = [(arm, hashes[arm.exchange]) for arm in arms]
        self._site = site

    def __bool__(self) -> bool:
        return bool(self._arms)

    def schemas(self) -> list[pa.Schema]:
        """Of their rows; known when what puts them out has begun."""
        return [hashed.schema for _, hashed in self._arms]

    def shares(self, others: Sequence[WorkerStatus]) -> tuple[Share, ...]:
        """The shares of this worker and the others, of what is in the buckets now."""
        places = self._site.slots + sum(worker.slots for worker in others)
        sizes = [hashed.bytes_of(arm) for arm, hashed in self._arms]
        return bucket_shares(sizes, places, self._site.small_bytes, self._site.share_bytes)

    def reader(self, consumer: str, store: BucketStore, cancellation: Cancellation) -> BucketReader:
        """Fetches shares for an instance here."""
        sources = {arm.name: BucketSource(hashed.name, hashed.schema, partial(hashed.locate, consumer)) for arm, hashed in self._arms}
        return BucketReader(self._site.worker_id, consumer, sources, store, self._site.peers, cancellation)

    def packed(self) -> list[BucketedArm]:
        """As they travel to other workers."""
        return [BucketedArm(arm, hashed.name, hashed.schema.serialize().to_pybytes()) for arm, hashed in self._arms]
