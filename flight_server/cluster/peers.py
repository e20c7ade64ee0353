"""Calls from one worker to another: one Flight connection for each, made when first needed and shared by all threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pyarrow.flight as flight

from flight_server.protocol.client_errors import from_flight_error

log = logging.getLogger(__name__)

CALL_SECONDS = 10.0


class Peers:
    """Connections to other workers, by their URIs. Thread-safe."""

    def __init__(self, connect: Callable[[str], flight.FlightClient] = flight.FlightClient) -> None:
        self._connect = connect
        self._clients: dict[str, flight.FlightClient] = {}
        self._lock = threading.Lock()

    def action(self, uri: str, name: str, body: bytes, *, timeout_seconds: float = CALL_SECONDS) -> bytes:
        """Runs an action there; returns the body of its one answer (empty where it has none). Raises ``ClientError``."""
        options = flight.FlightCallOptions(timeout=timeout_seconds)
        try:
            answers = list(self._client(uri).do_action(flight.Action(name, body), options))
        except Exception as error:
            raise from_flight_error(error, uri) from error
        return answers[0].body.to_pybytes() if answers else b""

    def pull(self, uri: str, ticket: bytes) -> flight.FlightStreamReader:
        """Opens a stream there. Raises ``ClientError``; reading from it raises Flight's own errors."""
        try:
            return self._client(uri).do_get(flight.Ticket(ticket))
        except Exception as error:
            raise from_flight_error(error, uri) from error

    def forget(self, uri: str) -> None:
        """Closes the connection to a worker that is gone."""
        with self._lock:
            client = self._clients.pop(uri, None)
        if client is not None:
            client.close()

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _client(self, uri: str) -> flight.FlightClient:
        with self._lock:
            client = self._clients.get(uri)
            if client is None:
                client = self._clients[uri] = self._connect(uri)
            return client
