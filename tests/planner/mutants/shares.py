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
        "(low is None or most >= low)",
        "(low is None or most > low)",
        "SELECT count(*), sum(m) FROM low JOIN many ON low.k = many.k",
    ),
    Mutant(
        "row groups without a key are read by who has their other keys",
        "ranges",
        "if found is None or (low is None and group.ranges[key].null_count != 0):",
        "if found is None:",
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
        by_plan=True,
    ),
    Mutant(
        "rows without a key are in no share",
        "ranges",
        '(f" OR {column} IS NULL" if nulls else "")',
        '""',
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
    ),
    Mutant(
        "rows without a key are in each share",
        "ranges",
        "nulls = low is None and any(",
        "nulls = any(",
        "SELECT count(*) FROM holes FULL JOIN low ON holes.k = low.k",
    ),
    Mutant(
        "each side has its own bounds",
        "ranges",
        "shares = [_share(parts, low, high) for low, high in pairwise(edges)]",
        "own = [[None, *_bounds(part, wanted), None] for part in parts]\n"
        "    some = min(map(len, own)) - 1\n"
        "    cut = [[*each[:some], None] for each in own]\n"
        "    shares = [Share(tuple(_share([p], e[i], e[i + 1]).inputs[0] for p, e in zip(parts, cut))) for i in range(some)]",
        "SELECT count(*), sum(m) FROM low JOIN many ON low.k = many.k",
    ),
)
