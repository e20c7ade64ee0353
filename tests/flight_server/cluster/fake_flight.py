"""Other workers as a Flight client sees them: what they answer is a function of the test, and no socket is opened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.protocol.messages import WorkerStatus, encode

SOON_SECONDS = 10.0
"""What happens "soon" happens at once; a test that waits so long fails."""
SCHEMA = pa.schema([("n", pa.int64())])


def worker(worker_id: str, state: str = "up") -> WorkerStatus:
    """The status of the worker that listens at :func:`uri_of` it."""
    status = WorkerStatus(worker_id=worker_id, uri=uri_of(worker_id), pid=1, slots=1)
    return msgspec.structs.replace(status, state=state)


def uri_of(worker_id: str) -> str:
    """Where the worker of that name listens."""
    return f"grpc://{worker_id}.invalid:1"


def unavailable() -> Exception:
    """What a call raises when nobody listens."""
    error: Exception = flight.FlightUnavailableError("failed to connect")
    return error


def timed_out() -> Exception:
    """What a call raises at its deadline."""
    error: Exception = flight.FlightTimedOutError("Deadline Exceeded")
    return error


def batch(number: int) -> pa.RecordBatch:
    """One row."""
    return pa.record_batch([pa.array([number])], schema=SCHEMA)


@dataclass
class Chunk:
    data: pa.RecordBatch | None
    app_metadata: pa.Buffer | None


class FakeStream:
    """A stream: its items are batches with what stands beside them, or errors.

    Then it ends; one that ``hangs`` stays open until it is cancelled.
    """

    def __init__(
        self, *items: tuple[pa.RecordBatch, msgspec.Struct | bytes] | Exception, hangs: bool = False, schema: pa.Schema = SCHEMA
    ) -> None:
        self.schema = schema
        self.cancelled = threading.Event()
        self.waited_for = threading.Event()
        self._items = iter(items)
        self._hangs = hangs

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        item = next(self._items, None)
        if isinstance(item, Exception):
            raise item
        if item is not None:
            beside = item[1] if isinstance(item[1], bytes) else encode(item[1])
            return Chunk(item[0], pa.py_buffer(beside))
        if self._hangs:
            self.waited_for.set()
            assert self.cancelled.wait(SOON_SECONDS), "nobody cancelled a stream that hangs"
            raise flight.FlightCancelledError("Stream removed")
        raise StopIteration

    read_chunk = __next__

    def read_all(self) -> pa.Table:
        return pa.Table.from_batches([chunk.data for chunk in self], self.schema)

    def cancel(self) -> None:
        self.cancelled.set()


@dataclass
class FakeWorker:
    """``act`` answers an action (None: with nothing), ``get`` opens a stream; either may raise. Both are noted, with their deadlines."""

    act: Callable[[str, bytes], msgspec.Struct | bytes | None] = lambda name, body: None
    get: Callable[[bytes], FakeStream] = lambda ticket: FakeStream()
    actions: list[tuple[str, bytes]] = field(default_factory=list)
    tickets: list[bytes] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)

    def did(self, name: str) -> list[bytes]:
        """The bodies of the actions of that name, in the order of their calls."""
        return [body for action, body in self.actions if action == name]


class FakeNetwork:
    """Workers by their names. ``connect`` is for ``Peers``."""

    def __init__(self, **workers: FakeWorker) -> None:
        self.workers = {uri_of(name): each for name, each in workers.items()}
        self.clients: list[FakeClient] = []

    def connect(self, uri: str) -> Any:
        client = FakeClient(self.workers.get(uri))
        self.clients.append(client)
        return client


class FakeClient:
    """A connection to one of them; None: nobody listens there."""

    def __init__(self, to: FakeWorker | None) -> None:
        self._to = to
        self.closed = False

    def do_action(self, action: flight.Action, options: flight.FlightCallOptions) -> Iterator[Any]:
        to = self._reach()
        to.actions.append((action.type, action.body.to_pybytes()))
        answer = to.act(action.type, action.body.to_pybytes())
        if answer is None:
            return iter([])
        return iter([flight.Result(answer if isinstance(answer, bytes) else encode(answer))])

    def do_get(self, ticket: flight.Ticket, options: flight.FlightCallOptions | None = None) -> FakeStream:
        to = self._reach()
        to.tickets.append(ticket.ticket)
        to.deadlines.append(options.timeout if options is not None and options.timeout > 0 else None)
        return to.get(ticket.ticket)

    def close(self) -> None:
        self.closed = True

    def _reach(self) -> FakeWorker:
        if self.closed:
            raise pa.ArrowInvalid("FlightClient is closed")
        if self._to is None:
            raise unavailable()
        return self._to
