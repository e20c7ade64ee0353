"""A port of one's own in front of a server that comes and goes: nobody else can take it meanwhile."""

from __future__ import annotations

import socket
import threading


class Relay:
    """Passes connections on to ``target`` (a port of this machine); closes them while that is None, or nobody answers there."""

    def __init__(self, target: int) -> None:
        self.target: int | None = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"grpc://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.target is None:
                    raise ConnectionRefusedError
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), name="relay-pump", daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Passes on what comes, in one direction, until either end closes; then neither is open."""
    try:
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
    source.close()
