"""The inputs that every share of a fragment sees whole, on one worker: made ready once where that costs something."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future

import pyarrow as pa

from operators.errors import Interrupted
from operators.scan.scans import StartedScan
from operators.storage import Storage
from planner.physical import ScanInput


class WholeInputs:
    """``tables``, by the names of the inputs that came through exchanges, and the fragment's scans that no share divides.

    Files of this machine are read in place by each share. Those elsewhere are fetched once, for whoever needs them first, and kept
    until :meth:`close`. Thread-safe.
    """

    def __init__(self, tables: Mapping[str, pa.Table], storage: Storage) -> None:
        self.tables = tables
        self._storage = storage
        self._kept: dict[str, Future[StartedScan]] = {}
        self._closed = False
        self._lock = threading.Lock()

    def start(self, scan: ScanInput) -> tuple[StartedScan, bool]:
        """The scan, which nobody need close, and whether its bytes are fetched for this caller: they are to be counted once.

        Raises what starting a scan raises, to all who wait for it; whoever comes later tries anew.
        """
        if not self._storage.is_elsewhere(scan.splits[0].file.path):
            return StartedScan(scan, scan.splits, self._storage), True
        with self._lock:
            if self._closed:
                raise Interrupted("the scan was stopped")
            kept = self._kept.get(scan.name)
            first = kept is None
            if kept is None:
                kept = self._kept[scan.name] = Future()
        if first:
            self._fetch(scan, kept)
        return kept.result(), first

    def discard(self, scan: ScanInput) -> None:
        """Its bytes did not come: they are fetched anew for the next caller."""
        with self._lock:
            kept = self._kept.pop(scan.name, None)
        if kept is not None:
            _close(kept)

    def close(self) -> None:
        """Removes what was fetched. May be called again, and while shares still run, which have been stopped."""
        with self._lock:
            self._closed = True
            kept = list(self._kept.values())
            self._kept.clear()
        for future in kept:
            _close(future)

    def _fetch(self, scan: ScanInput, kept: Future[StartedScan]) -> None:
        try:
            started = StartedScan(scan, scan.splits, self._storage)
        except BaseException as error:
            with self._lock:
                if self._kept.get(scan.name) is kept:
                    del self._kept[scan.name]
            kept.set_exception(error)
        else:
            kept.set_result(started)


def _close(kept: Future[StartedScan]) -> None:
    """Closes a scan, now or as soon as it has started."""
    kept.add_done_callback(lambda done: None if done.exception() is not None else done.result().close())
