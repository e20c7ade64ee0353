"""Mutants of how tables are cut into shares."""

from __future__ import annotations

from tests.planner.mutants.mutant import Mutant

_JOINED = "SELECT count(*), sum(v) FROM low JOIN high ON low.k = high.k"

SHARES = (
    Mutant(
        "a range begins behind its bound",
        "ranges",
        'terms.append(f"{column} >= {_literal(low)}")',
        'terms.append(f"{column} > {_literal(low)}")',
        _JOINED,
    ),
    Mutant(
        "a range ends with its bound",
        "ranges",
        'terms.append(f"{column} < {_literal(high)}")',
        'terms.append(f"{column} <= {_literal(high)}")',
        _JOINED.replace("JOIN", "RIGHT JOIN"),
    ),
    Mutant(
        "row groups that end with a bound are not of the range that begins there",
        "ranges",
        "bisect_right(bounds, least), bisect_right(bounds, most)\n",
        "bisect_right(bounds, least), bisect_right(bounds, most - 1)\n",
        "SELECT count(*), sum(m) FROM low JOIN many ON low.k = many.k",
    ),
    Mutant(
        "row groups without a key are read by who has their other keys",
        "ranges",
        "if first == 0 or nulls == 0 else",
        "if True else",
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
        by_plan=True,
    ),
    Mutant(
        "rows without a key are in no share",
        "ranges",
        '(f" OR {column} IS NULL" if low is None and part.may_have_nulls else "")',
        '""',
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
    ),
    Mutant(
        "rows without a key are in each share",
        "ranges",
        "if low is None and part.may_have_nulls",
        "if part.may_have_nulls",
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
    ),
    Mutant(
        "each side has its own bounds",
        "ranges",
        "return tuple(map(Share, inputs))",
        "own = [list(_bounds(part, wanted)) for part in parts]\n"
        "    some = min(map(len, own))\n"
        "    cut = [_Places(part, each[:some]) for part, each in zip(parts, own)]\n"
        "    own = [[None, *each[:some], None] for each in own]\n"
        "    return tuple(Share(tuple(c.input(i, e[i], e[i + 1]) for c, e in zip(cut, own))) for i in range(some + 1))",
        "SELECT count(*), sum(m) FROM low JOIN many ON low.k = many.k",
    ),
)
