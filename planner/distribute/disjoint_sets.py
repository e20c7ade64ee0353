"""Sets of what is equal, joined pair by pair."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Member = TypeVar("Member", bound=Hashable)


class DisjointSets(Generic[Member]):
    """Each member is in one set. See https://en.wikipedia.org/wiki/Disjoint-set_data_structure (with path compression)."""

    def __init__(self) -> None:
        self._parents: dict[Member, Member] = {}

    def root(self, member: Member) -> Member:
        """The member that stands for its set; the member alone, where nothing was joined to it."""
        root = member
        while (parent := self._parents.setdefault(root, root)) != root:
            root = parent
        while member != root:
            self._parents[member], member = root, self._parents[member]
        return root

    def join(self, one: Member, other: Member) -> None:
        """The two are equal, and so is all that equals either."""
        self._parents[self.root(other)] = self.root(one)

    def sets(self) -> list[list[Member]]:
        """All sets, their members in the order in which they came."""
        found: dict[Member, list[Member]] = {}
        for member in list(self._parents):
            found.setdefault(self.root(member), []).append(member)
        return list(found.values())
