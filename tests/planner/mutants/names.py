"""Mutants of what names mean: columns that would be taken for others."""

from __future__ import annotations

from tests.planner.mutants.mutant import Mutant

NAMES = (
    Mutant(
        "a full join's merged column is its left side's",
        "frames",
        'if kind in ("inner", "left"):',
        'if kind in ("inner", "left", "full"):',
        "SELECT k, low.k AS own, count(*) FROM low FULL JOIN high USING (k) GROUP BY k, low.k",
    ),
    Mutant(
        "a right join's merged column is its left side's",
        "frames",
        'if kind in ("inner", "left"):',
        'if kind in ("inner", "left", "right"):',
        "SELECT k, low.k AS own, count(*) FROM low RIGHT JOIN high USING (k) GROUP BY k, low.k",
    ),
    Mutant(
        "a column of a set operation is its first operand's",
        "outputs",
        "return _without_values(self.body_outputs(body.operands[0]))",
        "return self.body_outputs(body.operands[0])",
        "SELECT count(*) FROM low WHERE k IN (SELECT k FROM high UNION ALL SELECT v FROM few)",
        by_plan=True,
    ),
    Mutant(
        "a column of a grouping set is what it is called",
        "outputs",
        'if _nulls_groups(select.ast["group_by"]):',
        "if False:",
        None,  # groups of several sets are not complete in a share, so that no key is looked for among their columns
    ),
)
