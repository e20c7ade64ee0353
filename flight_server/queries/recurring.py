"""What must happen again and again as long as the process lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from planner.errors import VolleyError

log = logging.getLogger(__name__)


class Recurring:
    """Calls ``work`` every ``seconds`` in a thread of its own, from :meth:`start` to :meth:`stop`. No error ends it: it is logged."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins; the first call comes after ``seconds``."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, waiting for a call that is under way. May be called before :meth:`start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except VolleyError as error:
                log.warning("%s did not work, and will be tried again: %s", self._thread.name, error)
            except Exception:
                log.exception("%s did not work, and will be tried again", self._thread.name)
