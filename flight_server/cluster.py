"""Who is in the cluster: a pure membership table, and the thread that keeps it true.

Workers tell each other that they are alive, every ``BEAT_SECONDS``. One that has been silent for ``LOST_SECONDS``, or whose
process is known to have ended, is lost; it stays listed as such for ``FORGET_SECONDS``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from flight_server.exchange_messages import WORKER_BEAT, Beat, Members
from flight_server.messages import WorkerStatus, decode, encode
from flight_server.peers import Peers
from planner.errors import VolleyError

BEAT_SECONDS = 1.0
LOST_SECONDS = 5.0
FORGET_SECONDS = 600.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Member:
    status: WorkerStatus
    heard_at: float


class Membership:
    """Which workers are up, by what was heard of them. Pure: the time of each event is passed in. Not thread-safe."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._members: dict[str, _Member] = {}

    def heard(self, status: WorkerStatus, now: float) -> bool:
        """A worker spoke for itself. Returns whether it is new here (or back)."""
        known = self._members.get(status.worker_id)
        self._members[status.worker_id] = _Member(status, now)
        return known is None or known.status.state == "lost"

    def mentioned(self, status: WorkerStatus) -> bool:
        """Another worker named it. Returns whether it is one that this worker should greet."""
        return status.worker_id != self._own_id and status.state == "up" and status.worker_id not in self._members

    def silent(self, now: float) -> list[WorkerStatus]:
        """Marks and returns the workers that have been silent for too long; forgets those lost long ago."""
        late = [m for m in self._members.values() if m.status.state != "lost" and now - m.heard_at > LOST_SECONDS]
        for key in [k for k, m in self._members.items() if m.status.state == "lost" and now - m.heard_at > FORGET_SECONDS]:
            del self._members[key]
        return [self._lose(member) for member in late]

    def lost(self, worker_id: str) -> WorkerStatus | None:
        """Marks a worker as lost. Returns it, or None when that was known already."""
        member = self._members.get(worker_id)
        return None if member is None or member.status.state == "lost" else self._lose(member)

    def others(self) -> list[WorkerStatus]:
        """All other workers, the lost ones included, by their ids."""
        return [self._members[key].status for key in sorted(self._members)]

    @staticmethod
    def _lose(member: _Member) -> WorkerStatus:
        member.status = msgspec.structs.replace(member.status, state="lost")
        return member.status


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
