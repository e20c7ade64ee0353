"""A wire between a client and a server that breaks after so many bytes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

CHUNK_BYTES = 16_384


class CutWire:
    """Passes connections on to ``uri``; cuts each one off once ``bytes`` of answers went through it. A context with a ``uri``."""

    def __init__(self, uri: str, cut_after_bytes: int) -> None:
        host, _, port = uri.removeprefix("grpc://").rpartition(":")
        self._target = (host, int(port))
        self._left = cut_after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.uri = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> CutWire:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A thread that waits for a connection does not notice that its socket is closed.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        self._accepting.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if counted:
                    self._left -= len(data)
                    if self._left <= 0:
                        break
                target.sendall(data)
        self._cut()

    def _cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
