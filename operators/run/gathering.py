"""The query handler's end of an exchange between a fragment and what follows it: knows which shares must come, and sees that all did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pyarrow as pa

from operators.batch_sizes import referenced_bytes
from operators.exchange.exchange import Exchange
from operators.exchange.records import Record, RecordKey
from operators.run.fragments import Output


def output_records(operator: str, share: RecordKey, outputs: Iterable[Output]) -> list[Record[Output]]:
    """The records that ``operator`` makes of one share: their keys depend on the share and their order alone."""
    return [
        Record(RecordKey(operator, str(share), sequence), output, rows=output.batch.num_rows, bytes=referenced_bytes(output.batch))
        for sequence, output in enumerate(outputs)
    ]


class Gathering:
    """Collects the outputs of shares, each exactly once, into an exchange, which it closes after the last one.

    ``expected`` are the keys of the shares; None where :meth:`expect` will tell them.

    Outputs of one share become visible together: a share that was run twice, or whose outputs came in part before their worker
    died, counts once. Parts of two runs are never put together, since the kernel may deliver the same rows in another order.
    ``on_complete`` is called when all are here. Thread-safe.
    """

    def __init__(
        self,
        operator: str,
        exchange: Exchange[Output],
        expected: Iterable[RecordKey] | None,
        on_complete: Callable[[], None] = lambda: None,
    ) -> None:
        self.exchange = exchange
        self._operator = operator
        self._on_complete = on_complete
        self._missing: dict[str, RecordKey] = {}
        self._place: dict[str, int] = {}
        self._partial: dict[str, dict[str, dict[int, Record[Output]]]] = {}
        self._lock = threading.Lock()
        if expected is not None:
            self.expect(expected)

    def expect(self, keys: Iterable[RecordKey]) -> None:
        """These shares must come, and no others. Called once, before the first comes."""
        assert not self._place, "it is known which shares must come"
        self._missing = {str(key): key for key in keys}
        self._place = {input_key: place for place, input_key in enumerate(self._missing)}
        if not self._missing:
            self._complete()

    def commit(self, share: RecordKey, outputs: Iterable[Output]) -> None:
        """All outputs of a share, from a producer in this process."""
        self._commit(str(share), output_records(self._operator, share, outputs))

    def receive(self, record: Record[Output], sender: str) -> None:
        """One output, from the worker ``sender``, which may send it again; the share counts when all of one worker's run are here."""
        input_key = record.key.input_key
        with self._lock:
            if input_key not in self._missing:
                return
            parts = self._partial.setdefault(input_key, {}).setdefault(sender, {})
            parts[record.key.sequence] = record
            last = next((sequence for sequence, part in parts.items() if part.payload.last), None)
            if last is None or len(parts) <= last:
                return
            assert len(parts) == last + 1, f"{sender} sent outputs of {input_key} behind the last one"
            records = [parts[sequence] for sequence in range(last + 1)]
        self._commit(input_key, records)

    def forget(self, sender: str) -> None:
        """A worker is lost: what it sent of shares that it did not send whole is dropped."""
        with self._lock:
            for senders in self._partial.values():
                senders.pop(sender, None)

    def missing(self) -> list[RecordKey]:
        """The shares whose outputs are not here yet, in order."""
        with self._lock:
            return sorted(self._missing.values())

    def missing_count(self) -> int:
        """How many shares' outputs are not here yet."""
        return len(self._missing)

    def lease_table(self, consumer: str, schema: pa.Schema) -> tuple[pa.Table, Callable[[], None]]:
        """All rows, once all are here, and what acknowledges them. Raises the error of the exchange where that failed.

        In the order of the shares, however they arrived: the same query gives the same answer again.
        """
        held = self.exchange.lease_all(consumer)
        held.sort(key=lambda item: (self._place[item.key.input_key], item.key.sequence))

        def acknowledge() -> None:
            for item in held:
                self.exchange.ack(item.key, item.lease.epoch)

        return pa.Table.from_batches([item.payload.batch for item in held], schema=schema), acknowledge

    def _commit(self, input_key: str, records: list[Record[Output]]) -> None:
        with self._lock:
            if self._missing.pop(input_key, None) is None:
                return
            self._partial.pop(input_key, None)
            self.exchange.commit(input_key, records)
            if not self._missing:
                self._complete()

    def _complete(self) -> None:
        self.exchange.close()
        self._on_complete()
