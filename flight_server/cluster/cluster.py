"""Who is in the cluster: the thread that keeps the membership table true.

Workers tell each other that they are alive, every ``BEAT_SECONDS``; what silence means stands in :mod:`flight_server.cluster.membership`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from flight_server.cluster.membership import Membership
from flight_server.cluster.peers import Peers
from flight_server.protocol.exchange_messages import WORKER_BEAT, Beat, Members
from flight_server.protocol.messages import WorkerStatus, decode, encode
from planner.errors import VolleyError

BEAT_SECONDS = 1.0

log = logging.getLogger(__name__)


class Cluster:
    """This worker's view of the others, kept by a thread that sends and receives beats. Thread-safe."""

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
        self._thread: threading.Thread | None = None

    def start(self, seeds: Sequence[str]) -> None:
        """Joins the workers at ``seeds``; raises where one of them does not answer."""
        for uri in seeds:
            self._greet(uri, "join")
        self._thread = threading.Thread(target=self._beat_for_ever, name="cluster", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Says good-bye to the others and ends the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        for status in self.up():
            self._try_greet(status, "leave")

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
        with self._lock:
            others = self._membership.others()
        return [self._own_status(), *others]

    def up(self) -> list[WorkerStatus]:
        """The other workers that are up."""
        with self._lock:
            return [status for status in self._membership.others() if status.state == "up"]

    def lost(self, worker_id: str) -> None:
        """A worker is known to be gone (its process ended, its connection broke for good)."""
        with self._lock:
            status = self._membership.lost(worker_id)
        if status is not None:
            self._report(status)

    def _beat_for_ever(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            for status in self.up():
                self._try_greet(status, "alive")
            with self._lock:
                silent = self._membership.silent(self._clock())
            for status in silent:
                self._report(status)

    def _report(self, status: WorkerStatus) -> None:
        log.warning("worker %s at %s (pid %s) is lost", status.worker_id, status.uri, status.pid)
        self._peers.forget(status.uri)
        self._on_lost(status.worker_id)

    def _try_greet(self, status: WorkerStatus, event: str) -> None:
        try:
            self._greet(status.uri, event)
        except VolleyError as error:
            # Silence is what decides: an error here only means that this beat was not answered.
            log.debug("worker %s did not answer: %s", status.worker_id, error)

    def _greet(self, uri: str, event: str) -> None:
        beat = msgspec.convert({"worker": msgspec.to_builtins(self._own_status()), "event": event}, Beat)
        reply = self._peers.action(uri, WORKER_BEAT, encode(beat), timeout_seconds=BEAT_SECONDS * 2)
        members = decode(reply, Members).workers
        with self._lock:
            if members:
                # The first of the list is the one that answered.
                self._membership.heard(members[0], self._clock())
            strangers = [status for status in members[1:] if self._membership.mentioned(status)]
        for status in strangers:
            self._try_greet(status, "join")
