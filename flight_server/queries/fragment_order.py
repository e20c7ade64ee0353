"""Which fragments of a plan may start, and when: a pure decider, without clock or thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.physical import ExchangeInput, Fragment


@dataclass(frozen=True, slots=True)
class ExchangeComplete:
    """All that an exchange will hold is there."""

    exchange: int


class FragmentOrder:
    """Each fragment may start once, as soon as all exchanges that it reads are complete, those of its runtime filters too. Not thread-safe.

    The last fragment, which everything else feeds, is the last that may.
    """

    def __init__(self, fragments: Sequence[Fragment]) -> None:
        self._waiting = {fragment.id: (fragment, _read_by(fragment)) for fragment in fragments}

    def begin(self) -> list[Fragment]:
        """Those that wait for nothing."""
        return self._ready()

    def on(self, event: ExchangeComplete) -> list[Fragment]:
        """Those that waited for this alone."""
        for _, missing in self._waiting.values():
            missing.discard(event.exchange)
        return self._ready()

    def _ready(self) -> list[Fragment]:
        ready = [fragment for fragment, missing in self._waiting.values() if not missing]
        for fragment in ready:
            del self._waiting[fragment.id]
        return ready


def _read_by(fragment: Fragment) -> set[int]:
    read = {arm.exchange for arm in fragment.inputs if isinstance(arm, ExchangeInput)}
    return read | {each.exchange for each in fragment.filters}
