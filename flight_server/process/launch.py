"""Starting and stopping: ``flight serve`` with its worker processes, and the server embedded in another program.

``flight serve --workers N`` is one process that serves the given port and N - 1 child processes that join it. A child gets its
configuration through its standard input, so that no secret shows in a process list; when that pipe closes, because the parent
ended in whatever way, the child ends too.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import msgspec

from flight_server.errors import ServerError
from flight_server.process.worker import Worker
from flight_server.settings.config import Config, ConfigError
from planner.errors import Status

CHILD_START_SECONDS = 60.0
CHILD_STOP_SECONDS = 10.0
DRAIN_SECONDS = 30.0
LOG_VARIABLE = "VOLLEY_LOG"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
STOP_SIGNALS = frozenset((signal.SIGTERM, signal.SIGINT))

log = logging.getLogger(__name__)


class WorkerDidNotStart(ServerError):
    """A worker process ended, or stayed silent, before it was ready."""

    status = Status.UNAVAILABLE


def serve(config: Config) -> int:
    """Runs a server until it is signalled; returns the process's exit status.

    Prints ``ready URI`` on stdout once queries are accepted. The first SIGTERM or SIGINT drains all workers at once: queries that run
    may end within ``DRAIN_SECONDS``, new ones are refused. A second one ends the process at once. Raises ``VolleyError`` if it cannot
    start.
    """
    _log_to_stderr()
    stopping = _stop_on_signals()
    with _state_folder(config) as state, _running(part_of(config), state) as worker, _children(config, worker, state) as children:
        print(f"ready {worker.uri}", flush=True)
        stopping.wait()
        # Before this one: a child that does not drain yet would take a query that has no time left.
        for child in children:
            child.ask_to_stop()
        worker.drain(DRAIN_SECONDS)
    return 0


def serve_child() -> int:
    """A worker process of ``flight serve --workers N``: its configuration comes on standard input, it ends with its parent."""
    _log_to_stderr()
    stopping = _stop_on_signals()
    line = sys.stdin.buffer.readline()
    config = msgspec.json.Decoder(Config).decode(line)
    threading.Thread(target=_stop_with_parent, args=(stopping,), name="parent", daemon=True).start()
    assert config.state is not None
    with _running(config, Path(config.state)) as worker:
        print(f"ready {worker.uri} {worker.worker_id}", flush=True)
        stopping.wait()
        worker.drain(DRAIN_SECONDS)
    return 0


@contextmanager
def embedded(config: Config) -> Iterator[str]:
    """A server inside this process, on a free loopback port with a state of its own; yields its URI and leaves nothing behind."""
    with _state_folder(replace(config, state=None)) as state:
        alone = replace(config, host="127.0.0.1", port=0, workers=1, join=())
        with _running(alone, state) as worker:
            yield worker.uri


@contextmanager
def _state_folder(config: Config) -> Iterator[Path]:
    if config.state is None:
        # Named before it is made: a signal may come at any point from then on, and must find that it has to go again.
        folder = Path(tempfile.gettempdir(), f"volley-{secrets.token_hex(16)}")
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    state = Path(config.state)
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"the state folder {config.state} cannot be used: {error.strerror}") from error
    yield state


@contextmanager
def _running(config: Config, state: Path) -> Iterator[Worker]:
    worker = Worker(config, state)
    try:
        worker.start()
        # What is there by now stays: looking through all of it for garbage stopped every few hundredth query for 50 ms.
        gc.collect()
        gc.freeze()
        yield worker
    finally:
        gc.unfreeze()
        worker.close()


def part_of(config: Config) -> Config:
    """The configuration of one of ``config.workers`` processes on this machine: its part of threads and memory.

    Its kernel has all threads: most queries run on one worker while the others are idle, and where all are busy the system shares the
    cores out, which was measured to cost a hundredth or two.
    """
    workers, threads = config.workers, config.threads
    return replace(config, threads=max(1, threads // workers), kernel_threads=threads, memory_bytes=config.memory_bytes // workers)


@contextmanager
def _children(config: Config, first: Worker, state: Path) -> Iterator[list[_Child]]:
    """The other worker processes, up and joined inside the block; all have ended behind it."""
    child_config = replace(part_of(config), port=0, workers=1, join=(first.uri,), state=str(state))
    children: list[_Child] = []
    try:
        children.extend(_Child(child_config, first) for _ in range(config.workers - 1))
        for child in children:
            child.wait_ready()
        yield children
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop()


class _Child:
    """A worker process that this one started."""

    def __init__(self, config: Config, first: Worker) -> None:
        self._first = first
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from flight_server.process.launch import serve_child; sys.exit(serve_child())"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            # A Ctrl-C in the terminal is for the parent, which then stops its children.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(config) + b"\n")
        self._process.stdin.flush()
        self._worker_id: str | None = None
        self._ready = threading.Event()
        self._stop_by: float | None = None
        threading.Thread(target=self._watch, name=f"child-{self._process.pid}", daemon=True).start()

    def wait_ready(self) -> None:
        """Returns once the worker has joined; raises where it ended before, or takes too long."""
        if not self._ready.wait(CHILD_START_SECONDS) or self._worker_id is None:
            raise WorkerDidNotStart("a worker process did not start", remedy="the lines above, from its log, say why")

    def ask_to_stop(self) -> None:
        """Has it drain and end; asked once, since the second signal would end it at once."""
        if self._stop_by is None:
            self._stop_by = time.monotonic() + DRAIN_SECONDS + CHILD_STOP_SECONDS
            self._process.terminate()

    def stop(self) -> None:
        """Waits until it has ended; kills it when it takes too long, counted from when it was asked."""
        assert self._stop_by is not None, "it was not asked to stop"
        try:
            self._process.wait(max(0.0, self._stop_by - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("worker process %d did not stop; killed", self._process.pid)
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            match line.decode().split():
                case ["ready", _, worker_id]:
                    self._worker_id = worker_id
                    self._ready.set()
        status = self._process.wait()
        self._ready.set()
        if self._worker_id is not None and self._stop_by is None:
            log.error("worker process %d ended with status %d", self._process.pid, status)
            self._first.worker_lost(self._worker_id)


def _log_to_stderr() -> None:
    """Raises ``ConfigError`` for a ``VOLLEY_LOG`` that says no level."""
    given = os.environ.get(LOG_VARIABLE) or "INFO"
    if given.upper() not in LOG_LEVELS:
        raise ConfigError(f"{LOG_VARIABLE} must be {', '.join(LOG_LEVELS[:-1])} or {LOG_LEVELS[-1]}, not {given!r}")
    logging.basicConfig(
        stream=sys.stderr,
        level=given.upper(),
        format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s",
    )


def _stop_on_signals() -> threading.Event:
    """What the first SIGTERM or SIGINT sets; the second one ends the process at once, whatever it is doing.

    The kernel hands a signal to any thread. Python's own handlers wait for the main thread, which a lock keeps asleep where another
    thread was chosen: so a thread reads the numbers of the signals, which Python writes into a pipe wherever they arrive.
    """
    stopping = threading.Event()
    arrived, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    for number in STOP_SIGNALS:
        signal.signal(number, _noted)

    def read_on() -> None:
        while numbers := os.read(arrived, 64):
            for _ in filter(STOP_SIGNALS.__contains__, numbers):
                if stopping.is_set():
                    os._exit(1)
                stopping.set()

    threading.Thread(target=read_on, name="signals", daemon=True).start()
    return stopping


def _noted(number: int, frame: FrameType | None) -> None:
    """Makes a signal one that Python writes into its pipe."""


def _stop_with_parent(stopping: threading.Event) -> None:
    # Not by sys.stdin, whose lock this thread would hold while the interpreter ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stopping.set()
