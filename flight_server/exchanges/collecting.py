"""Pulling the outputs of a parallel fragment from other workers into the query handler's exchange."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from flight_server.cluster.peers import Peers, PeerStream
from flight_server.errors import ClientError
from flight_server.protocol.exchange_messages import EXCHANGE_ACK, AckRequest, LeaseRef, LeaseReply, PullFrame, PullTicket
from flight_server.protocol.messages import WorkerStatus
from operators.exchange.records import Record
from operators.run.fragments import Output
from operators.run.gathering import Gathering
from planner.errors import Status, VolleyError

PULL_ATTEMPTS = 5
PULL_RETRY_SECONDS = 0.2
PULL_WAIT_SECONDS = 0.5
PULL_RECORDS = 8
PULL_SECONDS = 20.0
"""A pull ends after so many records, or when there was none for ``PULL_WAIT_SECONDS``: one that lasts longer is at a worker that hangs."""


class OutputCollector:
    """Pulls from the exchange that has the name ``output`` on each worker, as ``consumer``.

    ``wanted`` says whether something is still wanted from a worker; ``dismiss`` is told which one cannot be pulled from, and why.
    """

    def __init__(
        self,
        peers: Peers,
        consumer: str,
        output: str,
        gathering: Gathering,
        wanted: Callable[[WorkerStatus], bool],
        dismiss: Callable[[WorkerStatus, VolleyError], None],
    ) -> None:
        self._peers = peers
        self._consumer = consumer
        self._output = output
        self._gathering = gathering
        self._wanted = wanted
        self._dismiss = dismiss
        self._streams: dict[PeerStream, str] = {}
        self._closed = threading.Event()

    def collect(self, worker: WorkerStatus) -> None:
        """Pulls the outputs of a worker's instances into the exchange here, until all are here or the worker takes no more part.

        What goes wrong on the way to the worker costs this query that worker, and nobody else anything. What the exchange here
        raises is the query's own error, and ends it.
        """
        failures = 0
        while self._wanted(worker):
            received = 0
            try:
                for record, lease in self._pull(worker):
                    self._gathering.receive(record, worker.worker_id)
                    ack = AckRequest(self._output, self._consumer, [lease])
                    self._peers.ask(worker.uri, EXCHANGE_ACK, ack, LeaseReply)
                    received += 1
                failures = 0
            except ClientError as error:
                failures = 1 if received else failures + 1
                # A stream that brought records until its time was up is only slow.
                passing = error.status is Status.UNAVAILABLE or (error.status is Status.DEADLINE_EXCEEDED and received > 0)
                if passing and failures < PULL_ATTEMPTS:
                    self._closed.wait(PULL_RETRY_SECONDS)
                elif self._wanted(worker):
                    self._dismiss(worker, error)

    def cut(self, worker_id: str) -> None:
        """Ends the streams from a worker."""
        for stream, sender in list(self._streams.items()):
            if sender == worker_id:
                stream.cancel()

    def close(self) -> None:
        """Ends all streams."""
        self._closed.set()
        for stream in list(self._streams):
            stream.cancel()

    def _pull(self, worker: WorkerStatus) -> Iterator[tuple[Record[Output], LeaseRef]]:
        """The next outputs, at most so many that a worker which does not hang has sent them in ``PULL_SECONDS``. Raises ``ClientError``."""
        ticket = PullTicket(self._output, self._consumer, max_records=PULL_RECORDS, wait_seconds=PULL_WAIT_SECONDS)
        stream = self._peers.pull(worker.uri, ticket, timeout_seconds=PULL_SECONDS)
        self._streams[stream] = worker.worker_id
        answered = False
        try:
            for batch, frame in stream.frames(PullFrame):
                answered = True
                if frame.record is None:
                    return
                lease = frame.record.lease
                yield Record(lease.key, Output(batch, frame.record.last), rows=batch.num_rows, bytes=batch.nbytes), lease
        finally:
            del self._streams[stream]
            stream.cancel()
        if not answered:
            raise ClientError(f"the worker at {worker.uri} broke off", status=Status.UNAVAILABLE)
