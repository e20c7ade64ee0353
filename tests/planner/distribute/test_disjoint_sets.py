from __future__ import annotations

from planner.distribute.disjoint_sets import DisjointSets


def test_what_is_joined_step_by_step_is_one_set() -> None:
    joined: DisjointSets[str] = DisjointSets()
    for one, other in (("a", "b"), ("c", "d"), ("x", "y"), ("b", "d"), ("a", "c")):
        joined.join(one, other)
    assert sorted(map(sorted, joined.sets())) == [["a", "b", "c", "d"], ["x", "y"]]
    assert joined.root("a") == joined.root("d") != joined.root("x")


def test_who_was_joined_to_nothing_is_alone() -> None:
    joined: DisjointSets[int] = DisjointSets()
    joined.join(1, 1)
    assert joined.root(2) == 2
    assert joined.sets() == [[1], [2]]
