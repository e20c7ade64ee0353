"""A stream of another worker, passed on: read by a thread of its own, so that whoever waits for it can look around meanwhile.

A query may have nothing to say for minutes, so no deadline can tell a worker that hangs from one that works. What can: the cluster, which
notices its silence. And a client that goes away is noticed here although nothing comes, so that it can be told to the query's worker.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa

from flight_server.cluster.peers import CALL_SECONDS, PeerStream
from flight_server.errors import WorkerLost
from flight_server.protocol.messages import BatchPlace
from flight_server.protocol.service import Cancelled
from flight_server.protocol.status import as_volley_error
from planner.errors import VolleyError

LOOK_SECONDS = 0.2
"""How soon it is noticed that the client, or the worker, has gone."""
BATCHES_AHEAD = 1

Placed = tuple[pa.RecordBatch, BatchPlace]


class Passage(Iterator[Placed]):
    """The batches of the stream that ``open_stream`` opens, to be taken by one thread. Opened when it is made.

    ``there`` says whether the other worker still is. Ends when ``cancelled``. Raises ``WorkerLost`` when the other worker is lost,
    or does not open the stream within ``CALL_SECONDS``, and the errors of the stream. :meth:`close` cancels the stream; so does
    dropping the passage.
    """

    def __init__(self, open_stream: Callable[[], PeerStream], there: Callable[[], bool], cancelled: Cancelled) -> None:
        self._there = there
        self._cancelled = cancelled
        self._reading = _Reading(open_stream)
        threading.Thread(target=self._reading.run, name="passage", daemon=True).start()
        first = self._take(time.monotonic() + CALL_SECONDS)
        self.schema = first if isinstance(first, pa.Schema) else pa.schema([])

    def __next__(self) -> Placed:
        """The next batch and its place."""
        item = self._take(None)
        if not isinstance(item, tuple):
            self.close()
            raise StopIteration
        return item

    def close(self) -> None:
        """Cancels the stream."""
        self._reading.close()

    def __del__(self) -> None:
        # Also one of which nobody took a batch: its thread would hold the stream, and the query its reader, for ever.
        self.close()

    def _take(self, until: float | None) -> pa.Schema | Placed | None:
        while not self._cancelled():
            try:
                item = self._reading.items.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self._there() and (until is None or time.monotonic() < until):
                    continue
                item = WorkerLost("the worker that has the query does not answer any more", remedy="try again, or run the query again")
            if isinstance(item, VolleyError):
                self.close()
                raise item
            return item
        return None


class _Reading:
    """The thread's side. Knows nothing of the passage, which must be free to go."""

    def __init__(self, open_stream: Callable[[], PeerStream]) -> None:
        self.items: queue.Queue[pa.Schema | Placed | VolleyError | None] = queue.Queue(BATCHES_AHEAD)
        self._open_stream = open_stream
        self._stream: PeerStream | None = None
        self._closed = False
        self._lock = threading.Lock()

    def run(self) -> None:
        try:
            stream = self._open_stream()
            with self._lock:
                self._stream = stream
                if self._closed:
                    stream.cancel()
                    return
            self._put(stream.schema)
            for placed in stream.frames(BatchPlace):
                self._put(placed)
            self._put(None)
        except Exception as error:
            self._put(as_volley_error(error))

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._stream is not None:
                self._stream.cancel()
        # Makes room for the item that the thread may be waiting to leave.
        while not self.items.empty():
            self.items.get_nowait()

    def _put(self, item: pa.Schema | Placed | VolleyError | None) -> None:
        if not self._closed:
            self.items.put(item)
