"""Beats: whatever answers, or does not, the thread goes on, and a worker that hangs costs only itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest

from flight_server.cluster.cluster import Cluster
from flight_server.cluster.membership import LOST_SECONDS
from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError
from flight_server.protocol.exchange_messages import WORKER_BEAT, Beat, Members
from flight_server.protocol.messages import WorkerStatus, decode
from planner.errors import Status
from tests.flight_server.cluster.fake_flight import SOON_SECONDS, FakeNetwork, FakeWorker, uri_of, worker


class Now:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Cast:
    """A cluster of ``self`` and the workers of a fake network, which it has heard of."""

    def __init__(self, others: dict[str, FakeWorker], own_status: Callable[[], WorkerStatus] | None = None) -> None:
        self.now = Now()
        self.lost: list[str] = []
        self.own = worker("self")
        self.cluster = Cluster(
            own_status or (lambda: self.own), "self", Peers(FakeNetwork(**others).connect), self.lost.append, clock=self.now
        )
        for name in others:
            self.cluster.receive(Beat(worker=worker(name)))


class Beaten:
    """A worker that answers beats with itself, and lets a test wait for so many of them."""

    def __init__(self, name: str, *answers: bytes | Exception) -> None:
        self.beats: list[Beat] = []
        self.worker = FakeWorker(self._act)
        self._name = name
        self._answers = list(answers)
        self._told = threading.Condition()

    def wait_for(self, beats: int) -> list[Beat]:
        with self._told:
            assert self._told.wait_for(lambda: len(self.beats) >= beats, SOON_SECONDS), f"{len(self.beats)} of {beats} beats"
            return list(self.beats)

    def _act(self, name: str, body: bytes) -> msgspec.Struct | bytes:
        assert name == WORKER_BEAT
        with self._told:
            self.beats.append(decode(body, Beat))
            self._told.notify_all()
            answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return Members([worker(self._name)]) if answer is None else answer


class Hung:
    """A worker that takes calls and answers none until the test is over."""

    def __init__(self, released: threading.Event) -> None:
        self.calls: list[str] = []
        self.called = threading.Event()
        self.worker = FakeWorker(self._act)
        self._released = released

    def _act(self, name: str, body: bytes) -> None:
        self.calls.append(decode(body, Beat).event)
        self.called.set()
        self._released.wait(SOON_SECONDS * 2)


@pytest.fixture(name="released")
def _released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(name="quick", autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.cluster.cluster.BEAT_SECONDS", 0.001)


@pytest.mark.parametrize("answer", [b"nonsense", b"", b'{"workers": 5}', ValueError("a bug")], ids=["nonsense", "nothing", "wrong", "bug"])
def test_an_answer_that_cannot_be_read_does_not_end_the_beats(answer: bytes | Exception) -> None:
    other = Beaten("a", answer)
    cast = Cast({"a": other.worker})
    cast.cluster.start([])
    other.wait_for(3)
    cast.cluster.stop()


def test_an_error_of_this_worker_s_own_does_not_end_the_beats() -> None:
    failures = iter([OSError("no such process"), OSError("again")])

    def own_status() -> WorkerStatus:
        error = next(failures, None) if threading.current_thread() is not threading.main_thread() else None
        if error is not None:
            raise error
        return worker("self")

    other = Beaten("a")
    cast = Cast({"a": other.worker}, own_status)
    cast.cluster.start([])
    other.wait_for(2)
    cast.cluster.stop()


def test_hung_workers_cost_nobody_else_a_beat(released: threading.Event) -> None:
    hung = {name: Hung(released) for name in ("a", "b", "c")}
    healthy = Beaten("z")
    cast = Cast({"z": healthy.worker, **{name: each.worker for name, each in hung.items()}})
    cast.cluster.start([])
    healthy.wait_for(5)
    for each in hung.values():
        assert each.called.wait(SOON_SECONDS)
        assert each.calls == ["alive"], "one call at a time"
    released.set()
    cast.cluster.stop()


def test_only_the_silent_are_lost_and_each_loss_is_told_though_one_goes_wrong(released: threading.Event) -> None:
    told = []

    def on_lost(worker_id: str) -> None:
        told.append(worker_id)
        if worker_id == "a":
            raise ValueError("a bug")

    now, healthy = Now(), Beaten("z")
    network = FakeNetwork(a=Hung(released).worker, b=Hung(released).worker, z=healthy.worker)
    cluster = Cluster(lambda: worker("self"), "self", Peers(network.connect), on_lost, clock=now)
    for name in ("a", "b", "z"):
        cluster.receive(Beat(worker=worker(name)))
    for _ in range(int(LOST_SECONDS) + 1):
        now.seconds += 1.0
        cluster.receive(Beat(worker=worker("z")))
        cluster.beat()
    assert told == ["a", "b"]
    assert [status.worker_id for status in cluster.missed()] == ["a", "b"]
    assert [status.worker_id for status in cluster.up()] == ["z"]


def test_saying_good_bye_waits_for_nobody_who_hangs(released: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.cluster.cluster.FAREWELL_SECONDS", 0.05)
    healthy = Beaten("z")
    cast = Cast({"z": healthy.worker, **{name: Hung(released).worker for name in ("a", "b", "c")}})
    stopping = threading.Thread(target=cast.cluster.stop, daemon=True)
    stopping.start()
    stopping.join(SOON_SECONDS)
    assert not stopping.is_alive()
    assert healthy.wait_for(1)[-1].event == "leave"


def test_the_good_bye_is_the_last_word() -> None:
    answering = threading.Event()
    events = []

    def act(name: str, body: bytes) -> Members:
        event = decode(body, Beat).event
        if event == "alive":
            assert answering.wait(SOON_SECONDS)
        events.append(event)
        return Members([worker("a")])

    cast = Cast({"a": FakeWorker(act)})
    cast.cluster.beat()
    stopping = threading.Thread(target=cast.cluster.stop)
    stopping.start()
    answering.set()
    stopping.join(SOON_SECONDS)
    assert events == ["alive", "leave"]


def test_an_answer_that_a_good_bye_overtook_brings_nobody_back() -> None:
    asked, answering = threading.Event(), threading.Event()

    def act(name: str, body: bytes) -> Members:
        asked.set()
        assert answering.wait(SOON_SECONDS)
        return Members([worker("a")])

    cast = Cast({"a": FakeWorker(act)})
    cast.cluster.beat()
    assert asked.wait(SOON_SECONDS)
    cast.now.seconds += 0.1
    cast.cluster.receive(Beat(worker=worker("a"), event="leave"))
    answering.set()
    cast.cluster.stop()
    assert cast.lost == ["a"]
    assert cast.cluster.present() == []


def test_a_change_is_told_at_once_and_after_what_was_said_before() -> None:
    other = Beaten("a")
    cast = Cast({"a": other.worker})
    cast.cluster.beat()
    cast.own = worker("self", "draining")
    cast.cluster.announce()
    assert other.wait_for(2)[-1].worker.state == "draining"
    cast.cluster.stop()


def test_a_worker_that_drains_is_there_but_gets_no_new_work() -> None:
    cast = Cast({name: Beaten(name).worker for name in ("a", "b")})
    cast.cluster.receive(Beat(worker=worker("a", "draining")))
    assert [status.worker_id for status in cast.cluster.up()] == ["b"]
    assert [status.worker_id for status in cast.cluster.present()] == ["a", "b"]
    assert cast.lost == []


def test_who_joins_greets_those_that_its_seed_names_and_waits_for_them() -> None:
    named = Beaten("b")
    seed = FakeWorker(lambda name, body: Members([worker("a"), worker("self"), worker("b"), worker("c", "lost")]))
    cluster = Cluster(lambda: worker("self"), "self", Peers(FakeNetwork(a=seed, b=named.worker).connect), lambda _: None)
    cluster.start([uri_of("a")])
    assert [status.worker_id for status in cluster.up()] == ["a", "b"]
    assert named.beats[0].event == "join"
    cluster.stop()


def test_a_seed_that_is_not_there_or_speaks_otherwise_stops_the_start() -> None:
    cluster = Cluster(lambda: worker("self"), "self", Peers(FakeNetwork(b=FakeWorker()).connect), lambda _: None)
    with pytest.raises(ClientError, match="cannot reach a server") as away:
        cluster.start([uri_of("a")])
    assert away.value.status is Status.UNAVAILABLE
    with pytest.raises(ClientError, match="does not speak as Volley does"):
        cluster.start([uri_of("b")])
    cluster.stop()
