"""Mutants of the table of joins, and of what joins say is equal."""

from __future__ import annotations

from tests.planner.mutants.mutant import Mutant

_BY_ANOTHER = "SELECT count(*), sum(w) FROM low {} high ON low.v = high.w AND (low.k = high.k OR low.v = high.w)"

JOINS = (
    Mutant(
        "a right or full join has its other side in every share",
        "divide",
        'if side in ("inner", "left", "semi"):\n                return left',
        "if True:\n                return left",
        "SELECT count(*), sum(k) FROM low RIGHT JOIN few ON low.v = few.v",
    ),
    Mutant(
        "a left or full join's left side is in every share",
        "divide",
        'if side in ("inner", "right"):\n                return right',
        'if side != "semi":\n                return right',
        "SELECT count(*), sum(k) FROM few LEFT JOIN low ON low.v = few.v",
    ),
    Mutant(
        "a semi or anti join's left side is in every share",
        "divide",
        'if side in ("inner", "right"):\n                return right',
        'if side in ("inner", "right", "semi"):\n                return right',
        "SELECT count(*) FROM few ANTI JOIN low ON low.v = few.v AND low.k < 3",
    ),
    Mutant(
        "an inner join by anything",
        "divide",
        'case "inner" if equal or _closed(left, classes) & right:',
        'case "inner":',
        _BY_ANOTHER.format("JOIN"),
    ),
    Mutant(
        "a left join by anything",
        "divide",
        'case "left" | "semi" if equal:',
        'case "left" | "semi" if equal or side == "left":',
        _BY_ANOTHER.format("LEFT JOIN"),
    ),
    Mutant(
        "a semi join by anything",
        "divide",
        'case "left" | "semi" if equal:',
        'case "left" | "semi" if equal or side == "semi":',
        "SELECT count(*) FROM low ANTI JOIN high ON low.k = high.k OR low.v = high.k",
    ),
    Mutant("a right join by anything", "divide", 'case "right" if equal:', 'case "right":', _BY_ANOTHER.format("RIGHT JOIN")),
    Mutant("a full join by anything", "divide", 'case "full" if equal:', 'case "full":', _BY_ANOTHER.format("FULL JOIN")),
    Mutant(
        "a full join keeps its keys",
        "divide",
        'case "full" if equal:\n                return ANYWHERE',
        'case "full" if equal:\n                return left | right',
        "SELECT low.k, count(*) FROM low FULL JOIN high ON low.k = high.k GROUP BY low.k",
    ),
    Mutant(
        "a left join keeps the keys of its right side",
        "divide",
        'case "left" | "semi" if equal:\n                return left',
        'case "left" | "semi" if equal:\n                return left | right',
        "SELECT high.k, count(*) FROM low LEFT JOIN high ON low.k = high.k GROUP BY high.k",
    ),
    Mutant(
        "a right join keeps the keys of its left side",
        "divide",
        'case "right" if equal:\n                return right',
        'case "right" if equal:\n                return left | right',
        "SELECT low.k, count(*) FROM low RIGHT JOIN high ON low.k = high.k GROUP BY low.k",
    ),
    Mutant(
        "one side of a join's equality is enough",
        "divide",
        "equal = any((one in left and other in right) or (other in left and one in right) for one, other in pairs)",
        "equal = any(one in left or other in right for one, other in pairs)",
        "SELECT count(*), sum(w) FROM low LEFT JOIN high ON (low.k = high.k OR low.k = high.w) AND low.k = high.w",
    ),
    Mutant(
        "joins that nobody knows are inner joins",
        "divide",
        'return "semi" if type(operator) is dict and next(iter(operator)) in _NARROWING else None',
        'return "semi" if type(operator) is dict and next(iter(operator)) in _NARROWING else "inner"',
        "SELECT count(*), sum(t.v) FROM low POSITIONAL JOIN few AS t",
    ),
    Mutant(
        "ASOF is a left join by its equal keys",
        "divide",
        'return "semi" if type(operator) is dict and next(iter(operator)) in _NARROWING else None',
        'return "semi" if type(operator) is dict and next(iter(operator)) in _NARROWING else "inner"',
        "SELECT count(*), sum(low.v) FROM few ASOF JOIN low ON few.v >= low.v",
    ),
    Mutant(
        "what ON of a left join says holds in every row",
        "classes",
        'case "inner":\n                    held += [*right, join_equalities(self.names, join)]',
        'case "inner" | "left":\n                    held += [*right, join_equalities(self.names, join)]',
        "SELECT high.k, count(*) FROM low LEFT JOIN high ON low.k = high.k GROUP BY high.k",
    ),
    Mutant(
        "what ON of a right join says holds in every row",
        "classes",
        'case "right":\n                    held = right',
        'case "right":\n                    held = [*right, join_equalities(self.names, join)]',
        "SELECT low.k, count(*) FROM low RIGHT JOIN high ON low.k = high.k GROUP BY low.k",
    ),
    Mutant(
        "what held before a full join holds behind it",
        "classes",
        'case "full":\n                    held = []',
        'case "full":\n                    held = [*held, *right, join_equalities(self.names, join)]',
        None,  # a full join has no keys, which is why nothing is made of it
    ),
    Mutant(
        "what one branch of an OR says holds in every row",
        "classes",
        "yield from (pair for pair in first if all(pair in other or pair[::-1] in other for other in others))",
        "yield from first",
        "SELECT count(*) FROM low, high WHERE low.k = high.k OR low.v = high.w",
    ),
    Mutant(
        "what is at least as large is equal",
        "classes",
        'if operator["op"] == "Eq":\n            left, right',
        'if operator["op"] in ("Eq", "GtEq"):\n            left, right',
        "SELECT count(*) FROM low JOIN high ON low.k >= high.k AND (low.k = high.k OR low.v > 1)",
    ),
    Mutant(
        "a CTE that is read twice has the same rows beside each other",
        "classes",
        "case CteRef() if (cte := self.names.cte(relation)) is not None and self.names.uses(cte) == 1:",
        "case CteRef() if (cte := self.names.cte(relation)) is not None:",
        "WITH c AS (SELECT k FROM many) SELECT count(*) FROM low JOIN c AS a ON low.k = a.k, high JOIN c AS b ON high.k = b.k",
    ),
)
