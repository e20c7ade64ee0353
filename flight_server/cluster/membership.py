"""Which workers are there, by what was heard of them: a pure table, without clock or thread.

One that has been silent for ``LOST_SECONDS``, or whose process is known to have ended, is lost; it stays listed as such for
``FORGET_SECONDS``.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from flight_server.protocol.messages import WorkerStatus

LOST_SECONDS = 5.0
FORGET_SECONDS = 600.0
ATTENTIVE_SECONDS = 2.0
"""Who looks at the table less often than this was stopped itself: in that time it could hear nobody."""


@dataclass(slots=True)
class _Member:
    status: WorkerStatus
    known_at: float
    """When the newest of what is known of it was said: by itself, or that it is lost."""


class Membership:
    """Which workers are there, by what was heard of them. Pure: the time of each event is passed in. Not thread-safe."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._members: dict[str, _Member] = {}
        self._looked_at: float | None = None

    def heard(self, status: WorkerStatus, at: float) -> bool:
        """A worker spoke for itself, ``at`` that time or later. Returns whether it is new here (or back).

        What is older than the newest that is known of it does not count: an answer can be overtaken by a good-bye.
        """
        known = self._members.get(status.worker_id)
        if known is not None and at < known.known_at:
            return False
        self._members[status.worker_id] = _Member(status, at)
        return known is None or known.status.state == "lost"

    def mentioned(self, status: WorkerStatus) -> bool:
        """Another worker named it. Returns whether it is one that this worker should greet."""
        return status.worker_id != self._own_id and status.state != "lost" and status.worker_id not in self._members

    def silent(self, now: float) -> list[WorkerStatus]:
        """Marks and returns the workers that have been silent for too long; forgets those lost long ago."""
        self._allow_for_own_absence(now)
        late = [m for m in self._members.values() if m.status.state != "lost" and now - m.known_at > LOST_SECONDS]
        for key in [k for k, m in self._members.items() if m.status.state == "lost" and now - m.known_at > FORGET_SECONDS]:
            del self._members[key]
        return [self._lose(member, now) for member in late]

    def lost(self, worker_id: str, now: float) -> WorkerStatus | None:
        """Marks a worker as lost. Returns it, or None when that was known already."""
        member = self._members.get(worker_id)
        return None if member is None or member.status.state == "lost" else self._lose(member, now)

    def others(self) -> list[WorkerStatus]:
        """All other workers, the lost ones included, by their ids."""
        return [self._members[key].status for key in sorted(self._members)]

    def _allow_for_own_absence(self, now: float) -> None:
        absent = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        if absent > ATTENTIVE_SECONDS:
            for member in self._members.values():
                member.known_at = min(now, member.known_at + absent)

    @staticmethod
    def _lose(member: _Member, now: float) -> WorkerStatus:
        member.status = msgspec.structs.replace(member.status, state="lost")
        member.known_at = now
        return member.status
