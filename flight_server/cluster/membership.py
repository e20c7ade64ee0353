"""Which workers are up, by what was heard of them: a pure table, without clock or thread.

One that has been silent for ``LOST_SECONDS``, or whose process is known to have ended, is lost; it stays listed as such for
``FORGET_SECONDS``.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from flight_server.protocol.messages import WorkerStatus

LOST_SECONDS = 5.0
FORGET_SECONDS = 600.0


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
