"""An HTTP proxy that misbehaves, by seed: between a client and a storage server, to see what becomes of the answers."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

HOP_HEADERS = frozenset(("connection", "transfer-encoding", "keep-alive", "content-length"))


@dataclass(frozen=True)
class Faults:
    """How often (0 … 1) each fault happens. ``delay_seconds`` is what a delayed answer waits."""

    unavailable: float = 0.05
    silent: float = 0.02
    cut: float = 0.01
    delayed: float = 0.01
    delay_seconds: float = 0.3


class FaultyProxy:
    """Forwards to ``target`` on a port of its own; ``fired`` counts the faults that really happened, ``requests`` all requests.

    ``faults`` may be changed while it runs.
    """

    def __init__(self, target: str, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.fired: Counter[str] = Counter()
        self.requests = 0
        self._target = urlsplit(target).netloc
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._server.serve_forever, name="faulty-proxy", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def draw(self) -> str | None:
        """The fault of the next request."""
        faults = self.faults
        with self._lock:
            self.requests += 1
            at = self._random.random()
            for name, share in (
                ("unavailable", faults.unavailable),
                ("silent", faults.silent),
                ("cut", faults.cut),
                ("delayed", faults.delayed),
            ):
                if at < share:
                    return name
                at -= share
        return None

    def count(self, fault: str) -> None:
        """``fault`` has happened."""
        with self._lock:
            self.fired[fault] += 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                match proxy.draw():
                    case "unavailable":
                        proxy.count("unavailable")
                        self.answer(503, [("Content-Type", "application/xml")], b"<Error><Code>ServiceUnavailable</Code></Error>")
                    case "silent":
                        proxy.count("silent")
                        self.wait_for_the_client_to_go()
                    case fault:
                        self.forward(body, fault)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

            def forward(self, body: bytes, fault: str | None) -> None:
                upstream = http.client.HTTPConnection(proxy._target, timeout=30)
                try:
                    upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        upstream.putheader(name, value)
                    upstream.endheaders(body)
                    answer = upstream.getresponse()
                    content = answer.read()
                finally:
                    upstream.close()
                if fault == "delayed":
                    proxy.count("delayed")
                    time.sleep(proxy.faults.delay_seconds)
                cut = fault == "cut" and len(content) > 1 and self.command == "GET"
                if cut:
                    proxy.count("cut")
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_HEADERS]
                self.answer(answer.status, headers, content[: len(content) // 2] if cut else content, length)
                self.close_connection = self.close_connection or cut

            def answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None) -> None:
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def wait_for_the_client_to_go(self) -> None:
                self.connection.settimeout(0.1)
                while not proxy._closing.is_set():
                    try:
                        if not self.connection.recv(1):
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
                self.close_connection = True
                self.connection.settimeout(None)

            def handle(self) -> None:
                try:
                    super().handle()
                except (TimeoutError, ConnectionError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Tests are quiet."""

        return Handler
