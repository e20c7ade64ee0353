"""Who is in the cluster: the thread that keeps the membership table true.

Workers tell each other that they are alive, every ``BEAT_SECONDS``; what silence means stands in :mod:`flight_server.cluster.membership`.
All are told side by side: one that hangs costs nobody else a beat.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from flight_server.cluster.membership import Membership
from flight_server.cluster.peers import Peers
from flight_server.protocol.exchange_messages import WORKER_BEAT, Beat, BeatEvent, Members
from flight_server.protocol.messages import WorkerStatus
from planner.errors import Status, VolleyError

BEAT_SECONDS = 1.0
BEAT_CALL_SECONDS = 2.0
FAREWELL_SECONDS = 2.0
MAX_CALLS = 64
"""Calls to other workers at a time; each other worker has at most one, and one that waits for it."""

log = logging.getLogger(__name__)


class Cluster:
    """This worker's view of the others, kept by a thread that sends and receives beats. Thread-safe.

    A worker is lost when it is silent, when its process is known to have ended, or when it leaves; nothing else makes it so.
    """

    def __init__(
        self,
        own_status: Callable[[], WorkerStatus],
        own_id: str,
        peers: Peers,
        on_lost: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own_status = own_status
        self._peers = peers
        self._on_lost = on_lost
        self._clock = clock
        self._membership = Membership(own_id)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._calls = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="beat")
        self._last_calls: dict[str, Future[None]] = {}
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self, seeds: Sequence[str]) -> None:
        """Joins the workers at ``seeds``, and those that they name; raises where a seed does not answer."""
        for uri in seeds:
            self._greet(uri, "join")
        while calls := self._under_way():
            wait(calls)
        self._thread = threading.Thread(target=self._beat_for_ever, name="cluster", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Says good-bye to the others, all at once and for no longer than ``FAREWELL_SECONDS``, and ends the threads."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        for status in self.present():
            self._begin(status.uri, "leave")
        wait(self._under_way(), FAREWELL_SECONDS)
        with self._lock:
            self._ended = True
        self._calls.shutdown(wait=False, cancel_futures=True)

    def beat(self) -> None:
        """One round: tells everybody who is not being told yet, and reports those that have been silent for too long."""
        busy = self._under_way_by_uri()
        for status in self.present():
            if status.uri not in busy:
                self._begin(status.uri, "alive")
        with self._lock:
            silent = self._membership.silent(self._clock())
        for status in silent:
            self._report(status)

    def announce(self) -> None:
        """Tells the others at once how this worker is doing now; does not wait for them."""
        for status in self.present():
            self._begin(status.uri, "alive")

    def receive(self, beat: Beat) -> Members:
        """Another worker's beat; answered with all that this worker knows."""
        if beat.event == "leave":
            log.info("worker %s leaves", beat.worker.worker_id)
            self.lost(beat.worker.worker_id)
        else:
            with self._lock:
                new = self._membership.heard(beat.worker, self._clock())
            if new:
                log.info("worker %s at %s is here", beat.worker.worker_id, beat.worker.uri)
        return Members(workers=self.workers())

    def workers(self) -> list[WorkerStatus]:
        """All workers, this one first."""
        return [self._own_status(), *self._others()]

    def up(self) -> list[WorkerStatus]:
        """The other workers that take new work."""
        return [status for status in self._others() if status.state == "up"]

    def present(self) -> list[WorkerStatus]:
        """The other workers that are there: those that drain answer for their queries, too."""
        return [status for status in self._others() if status.state != "lost"]

    def missed(self) -> list[WorkerStatus]:
        """The workers that were lost, until they are forgotten."""
        return [status for status in self._others() if status.state == "lost"]

    def lost(self, worker_id: str) -> None:
        """A worker is known to be gone: its process has ended, or it said that it leaves."""
        with self._lock:
            status = self._membership.lost(worker_id, self._clock())
        if status is not None:
            self._report(status)

    def _others(self) -> list[WorkerStatus]:
        with self._lock:
            return self._membership.others()

    def _beat_for_ever(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            try:
                self.beat()
            except Exception:
                # Without this thread nobody would be missed any more: it outlives whatever went wrong in one round.
                log.exception("a round of beats failed")

    def _report(self, status: WorkerStatus) -> None:
        log.warning("worker %s at %s (pid %s) is lost", status.worker_id, status.uri, status.pid)
        self._peers.forget(status.uri)
        try:
            self._on_lost(status.worker_id)
        except Exception:
            # Whoever else is lost must be reported all the same.
            log.exception("the loss of worker %s was not dealt with", status.worker_id)

    def _under_way_by_uri(self) -> dict[str, Future[None]]:
        with self._lock:
            self._last_calls = {uri: call for uri, call in self._last_calls.items() if not call.done()}
            return dict(self._last_calls)

    def _under_way(self) -> list[Future[None]]:
        return list(self._under_way_by_uri().values())

    def _begin(self, uri: str, event: BeatEvent) -> None:
        """Calls a worker from another thread, once the call before this one has ended: what is said last is heard last."""
        with self._lock:
            if self._ended:
                return
            self._last_calls[uri] = self._calls.submit(self._try_greet, uri, event, self._last_calls.get(uri))

    def _try_greet(self, uri: str, event: BeatEvent, before: Future[None] | None) -> None:
        if before is not None:
            wait([before])
        try:
            self._greet(uri, event)
        except VolleyError as error:
            # Silence is what decides: an error here only means that this beat was not answered.
            away = error.status in (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)
            log.log(logging.DEBUG if away else logging.WARNING, "the worker at %s did not answer: %s", uri, error)
        except Exception:
            log.exception("the worker at %s could not be told %r", uri, event)

    def _greet(self, uri: str, event: BeatEvent) -> None:
        beat = Beat(worker=self._own_status(), event=event)
        asked_at = self._clock()
        members = self._peers.ask(uri, WORKER_BEAT, beat, Members, timeout_seconds=BEAT_CALL_SECONDS).workers
        with self._lock:
            if members:
                # The first of the list is the one that answered.
                self._membership.heard(members[0], asked_at)
            strangers = [status for status in members[1:] if self._membership.mentioned(status)]
        if not self._stopping.is_set():
            for status in strangers:
                self._begin(status.uri, "join")
