"""Which fragments of a plan may start, and how long what they put out is needed: pure deciders, without clock or thread."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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


class HashesInUse:
    """How long what is in the ``hashed`` exchanges may have to be read: it stays where it was made, and goes with a worker that is lost.

    A fragment has no need of its inputs any more when what it puts out is safe: all of it has come to the query handler, or nobody needs
    it any more in turn. Not thread-safe.
    """

    def __init__(self, fragments: Sequence[Fragment], hashed: Collection[int]) -> None:
        self._hashed = set(hashed)
        self._outputs: dict[int, set[int]] = {exchange: set() for exchange in hashed}
        """What the fragments that read each of them put out into."""
        for fragment in fragments:
            for arm in fragment.inputs:
                if isinstance(arm, ExchangeInput) and arm.exchange in self._outputs:
                    self._outputs[arm.exchange].add(fragment.output)
        self._safe: set[int] = set()

    def on(self, event: ExchangeComplete) -> list[int]:
        """The hashed exchanges that nobody needs from now on."""
        if event.exchange not in self._hashed:
            self._safe.add(event.exchange)
        released: list[int] = []
        while found := [exchange for exchange, outputs in self._outputs.items() if outputs <= self._safe]:
            for exchange in found:
                del self._outputs[exchange]
            self._safe.update(found)
            released += found
        return released
