"""How far a list of queries is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.link.run import Run


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a list are where. What is held has its rows ready, and counts as done."""

    total: int
    completed: int
    failed: int
    held: int
    running: int
    waiting: int

    @property
    def progress(self) -> float:
        return 1.0 if self.total == 0 else (self.completed + self.failed + self.held) / self.total


def tally(runs: Iterable[Run]) -> Tally:
    states = [run.shown_state for run in runs]
    completed, held, waiting = (states.count(state) for state in ("completed", "held", "waiting"))
    failed = sum(state in ("failed", "killed", "lost") for state in states)
    return Tally(len(states), completed, failed, held, len(states) - completed - failed - held - waiting, waiting)
