"""Calls from one worker to another: one Flight connection for each, made when first needed and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.errors import ClientError
from flight_server.protocol.client_errors import translating
from flight_server.protocol.messages import decode, encode
from planner.errors import Status

CALL_SECONDS = 10.0

Answer = TypeVar("Answer", bound=msgspec.Struct)


class PeerStream:
    """A stream from another worker. Reading raises ``ClientError`` and nothing else; :meth:`cancel` may be called from any thread."""

    def __init__(self, reader: flight.FlightStreamReader, uri: str) -> None:
        self._reader = reader
        self._uri = uri

    @property
    def schema(self) -> pa.Schema:
        """What all batches have."""
        return self._reader.schema

    def frames(self, kind: type[Answer]) -> Iterator[tuple[pa.RecordBatch, Answer]]:
        """The batches, each with the message that travels beside it."""
        with translating(self._uri):
            for chunk in self._reader:
                if chunk.data is None or chunk.app_metadata is None:
                    raise msgspec.DecodeError("a batch or what should stand beside it is missing")
                yield chunk.data, decode(chunk.app_metadata, kind)

    def batches(self) -> list[pa.RecordBatch]:
        """All batches, when there is nothing beside them."""
        with translating(self._uri):
            batches: list[pa.RecordBatch] = self._reader.read_all().to_batches()
            return batches

    def cancel(self) -> None:
        """Ends the stream at both ends; who waits for it is told so."""
        self._reader.cancel()


class Peers:
    """Connections to other workers, by their URIs. Thread-safe.

    A connection is never closed under somebody who uses it: one that is not wanted any more is let go, and closes when the last call
    on it has ended.
    """

    def __init__(self, connect: Callable[[str], flight.FlightClient] = flight.FlightClient) -> None:
        self._connect = connect
        self._clients: dict[str, flight.FlightClient] = {}
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, uri: str, name: str, question: msgspec.Struct, kind: type[Answer], *, timeout_seconds: float = CALL_SECONDS) -> Answer:
        """Runs an action there; returns its one answer. Raises ``ClientError``, also for an answer that cannot be read."""
        with translating(uri):
            answers = self._act(uri, name, question, timeout_seconds)
            return decode(answers[0].body if answers else b"", kind)

    def tell(self, uri: str, name: str, message: msgspec.Struct, *, timeout_seconds: float = CALL_SECONDS) -> None:
        """Runs an action there that has no answer, and returns when it was run. Raises ``ClientError``."""
        with translating(uri):
            self._act(uri, name, message, timeout_seconds)

    def pull(self, uri: str, ticket: msgspec.Struct, *, timeout_seconds: float | None) -> PeerStream:
        """Opens a stream there, which may last ``timeout_seconds`` from its beginning to its end. Raises ``ClientError``.

        With None it may last for ever, and so may the wait for its beginning at a worker that hangs.
        """
        with translating(uri):
            options = flight.FlightCallOptions(timeout=timeout_seconds)
            return PeerStream(self._client(uri).do_get(flight.Ticket(encode(ticket)), options), uri)

    def forget(self, uri: str) -> None:
        """Lets go of the connection to a worker that is gone; the next call there makes a new one."""
        with self._lock:
            self._clients.pop(uri, None)

    def close(self) -> None:
        """Lets go of all connections; further calls fail."""
        with self._lock:
            self._closed = True
            self._clients.clear()

    def _act(self, uri: str, name: str, message: msgspec.Struct, timeout_seconds: float) -> list[flight.Result]:
        options = flight.FlightCallOptions(timeout=timeout_seconds)
        return list(self._client(uri).do_action(flight.Action(name, encode(message)), options))

    def _client(self, uri: str) -> flight.FlightClient:
        with self._lock:
            if self._closed:
                raise ClientError("this worker is closing and calls no other", status=Status.UNAVAILABLE)
            client = self._clients.get(uri)
            if client is None:
                client = self._clients[uri] = self._connect(uri)
            return client
