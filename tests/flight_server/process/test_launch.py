"""The processes of one server: told to stop all at once, each told once, all by one deadline."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import cast

import pytest

from flight_server.process import launch
from flight_server.process.launch import CHILD_STOP_SECONDS, DRAIN_SECONDS, WorkerDidNotStart
from flight_server.process.worker import Worker
from flight_server.settings.config import Config
from tests.e2e.running_server import environment


def test_workers_of_one_machine_share_its_threads_and_each_may_use_all_where_it_runs_alone() -> None:
    part = launch.part_of(Config(workers=3, threads=8, memory_bytes=900))
    assert (part.threads, part.kernel_threads, part.memory_bytes) == (2, 8, 300)
    assert launch.part_of(Config(workers=3, threads=1)).threads == 1


class FakeProcess:
    """A child that says ``lines`` and then ends when it is told to, or, if it is ``stubborn``, when it is killed."""

    pid = 4711

    def __init__(self, *lines: str, stubborn: bool = False) -> None:
        self.stdin = io.BytesIO()
        self.stdout = io.BytesIO("".join(f"{line}\n" for line in lines).encode())
        self.signals: list[str] = []
        self.waits: list[float | None] = []
        self.ended = threading.Event()
        self._stubborn = stubborn

    def terminate(self) -> None:
        self.signals.append("TERM")
        if not self._stubborn:
            self.ended.set()

    def kill(self) -> None:
        self.signals.append("KILL")
        self.ended.set()

    def wait(self, timeout: float | None = None) -> int:
        if timeout is None:
            self.ended.wait(10)
        else:
            self.waits.append(timeout)
            if not self.ended.is_set():
                raise subprocess.TimeoutExpired("child", timeout)
        return 0


class FakeWorker:
    """The first worker: notes what its children's ends tell it."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.told = threading.Event()

    def worker_lost(self, worker_id: str) -> None:
        self.lost.append(worker_id)
        self.told.set()


def child(process: FakeProcess, first: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> launch._Child:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: process)
    return launch._Child(Config(), cast(Worker, first))


@pytest.fixture(name="now")
def _now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands at its one item."""
    now = [1000.0]
    monkeypatch.setattr("flight_server.process.launch.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_child_is_asked_to_stop_once_since_the_second_signal_would_cut_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    process, first = FakeProcess("ready grpc://127.0.0.1:1 w1"), FakeWorker()
    started = child(process, first, monkeypatch)
    started.wait_ready()
    started.ask_to_stop()
    started.ask_to_stop()
    started.stop()
    assert process.signals == ["TERM"]
    assert first.lost == [], "it ended because it was asked to"


def test_the_time_to_stop_counts_from_when_it_was_asked(monkeypatch: pytest.MonkeyPatch, now: list[float]) -> None:
    process = FakeProcess("ready grpc://127.0.0.1:1 w1", stubborn=True)
    started = child(process, FakeWorker(), monkeypatch)
    started.ask_to_stop()
    now[0] += DRAIN_SECONDS
    started.stop()
    assert process.waits == [CHILD_STOP_SECONDS]
    assert process.signals == ["TERM", "KILL"]


def test_a_child_that_ends_by_itself_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    process, first = FakeProcess("ready grpc://127.0.0.1:1 w1"), FakeWorker()
    child(process, first, monkeypatch).wait_ready()
    process.ended.set()
    assert first.told.wait(10)
    assert first.lost == ["w1"]


STRUCK = """
import signal, threading
from flight_server.process import launch
stopping = launch._stop_on_signals()
threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.{name})).start()
stopping.wait()
print("stopped", flush=True)
threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.{name})).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_stops_a_process_whichever_thread_it_reaches_and_the_second_ends_it(name: str) -> None:
    """The kernel may choose any thread; the main one, asleep in a lock, is not woken for what another one got."""
    ended = subprocess.run([sys.executable, "-c", STRUCK.format(name=name)], env=environment(), capture_output=True, timeout=30)
    assert (ended.stdout, ended.returncode) == (b"stopped\n", 1)


def test_a_child_that_ends_before_it_is_ready_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    process = FakeProcess()
    process.ended.set()
    with pytest.raises(WorkerDidNotStart, match="did not start"):
        child(process, FakeWorker(), monkeypatch).wait_ready()
