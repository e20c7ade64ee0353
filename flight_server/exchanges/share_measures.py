"""What the shares of a fragment took, one by one, as the acks of its instances tell it: the largest of them, and the median."""

from __future__ import annotations

from statistics import median

from flight_server.protocol.messages import InstanceStatus, ShareSpread

MOST_MEASURED = 10_000
"""So many shares are measured. A fragment with more has none that stands out unseen: the first ones tell enough."""

_NOTHING = InstanceStatus("")


class ShareMeasures:
    """Of one fragment. An instance runs one share after the other: what its reports differ by is what that took. Not thread-safe."""

    def __init__(self) -> None:
        self._before: dict[str, InstanceStatus] = {}
        self._rows: list[int] = []
        self._bytes: list[int] = []
        self._seconds: list[float] = []

    def note(self, instance: str, report: InstanceStatus) -> None:
        """The instance of that name has done a share. Where it did some whose acks did not count, these are taken for one."""
        before = self._before.get(instance, _NOTHING)
        self._before[instance] = report
        if report.records > before.records and len(self._rows) < MOST_MEASURED:
            self._rows.append(report.rows - before.rows)
            self._bytes.append(report.bytes - before.bytes)
            self._seconds.append(report.seconds - before.seconds)

    def spread(self) -> ShareSpread | None:
        """Of those that are done; None before there are two."""
        if len(self._rows) < 2:
            return None
        return ShareSpread(
            shares=len(self._rows),
            rows_most=max(self._rows),
            rows_median=median(self._rows),
            bytes_most=max(self._bytes),
            bytes_median=median(self._bytes),
            seconds_most=max(self._seconds),
            seconds_median=median(self._seconds),
        )
