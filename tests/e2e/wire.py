"""A wire between a client and a server: it tells what has gone through, and can break after so many bytes."""

from __future__ import annotations

import math
import socket
import threading
from contextlib import suppress
from types import TracebackType

CHUNK_BYTES = 16_384
ANSWER_BYTES = 100
"""A stream begins with its schema, which is more than this; what only keeps a connection going is less."""


class Wire:
    """Passes connections on to ``uri``; cuts all off once ``cut_after_bytes`` of answers went through. A context with its own ``uri``."""

    def __init__(self, uri: str, *, cut_after_bytes: float = math.inf) -> None:
        host, _, port = uri.removeprefix("grpc://").rpartition(":")
        self._target = (host, int(port))
        self._left = cut_after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._said = b""
        # How much had been said when an answer came, and how long the answer was.
        self._answers: list[tuple[int, int]] = []
        self.uri = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Wire:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A thread that waits for a connection does not notice that its socket is closed.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        self._accepting.join()

    def answered(self, words: str) -> bool:
        """Whether a client said ``words``, and a stream has come since: the server is at work on it."""
        with self._lock:
            at = self._said.find(words.encode())
            return at >= 0 and sum(size for said, size in self._answers if said >= at + len(words)) > ANSWER_BYTES

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if self._note(data, is_answer):
                    break
                target.sendall(data)
        self._cut()

    def _note(self, data: bytes, is_answer: bool) -> bool:
        """Whether the wire breaks now."""
        with self._lock:
            if not is_answer:
                self._said += data
                return False
            self._answers.append((len(self._said), len(data)))
            self._left -= len(data)
            return self._left <= 0

    def _cut(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
