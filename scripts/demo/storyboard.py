"""What the demonstration shows: keys as a person presses them, pauses, and the moments that become screenshots."""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS, ROWS = 112, 30

ESCAPE = "\x1b"
ENTER = "\r"
TAB = "\t"
DOWN = "\x1b[B"
RIGHT = "\x1b[C"
PAGE_DOWN = "\x1b[6~"
F2, F3, F4, F5, F6 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~"


@dataclass(frozen=True)
class Step:
    """``keys`` all at once, or ``typed`` letter by letter; then wait until ``see`` is on the screen, then ``pause`` seconds.

    ``shot`` names a screenshot of that moment.
    """

    keys: str = ""
    typed: str = ""
    see: str = ""
    pause: float = 0.4
    shot: str = ""


LATE_ORDERS = """select n_name as nation, count(*) as orders,
       sum(l_extendedprice * (1 - l_discount)) as revenue
from lineitem
join orders on l_orderkey = o_orderkey
join customer on o_custkey = c_custkey
join nation on c_nationkey = n_nationkey
where l_receiptdate > l_commitdate
group by n_name order by revenue desc"""

STORY: tuple[Step, ...] = (
    Step(see="● 127.0.0.1", pause=0.8),
    Step(typed="select * from line"),
    Step(keys=TAB, pause=0.5),
    Step(keys=F5, see="l_partkey", pause=0.8),
    Step(keys=ESCAPE, pause=0.5),
    *[Step(keys=PAGE_DOWN, pause=0.3)] * 8,
    Step(see="✓ completed  6,001,215 rows", pause=0.6),
    Step(keys="G", see="6,001,215/6,001,215", pause=1.4, shot="results"),
    *[Step(keys=RIGHT, pause=0.12)] * 5,
    Step(keys="h", pause=0.9),
    Step(keys="a", see="all 6,001,215 rows", pause=1.6, shot="chart"),
    Step(keys="\x1b[18~", pause=0.3),
    Step(keys="\x01", pause=0.3),
    Step(keys="\x1b[200~" + LATE_ORDERS + "\x1b[201~", pause=1.0),
    Step(keys=F5, pause=0.1),
    Step(keys="\x1b[18~", pause=0.15),
    Step(keys="2", pause=0.6, shot="plan-running"),
    *[Step(keys=DOWN, pause=0.1)] * 2,
    Step(keys=ENTER, see="waiting", pause=1.6, shot="peek"),
    Step(keys=ESCAPE, pause=0.4),
    Step(see="completed", pause=0.6),
    Step(keys=DOWN, pause=0.6),
    Step(pause=0.8),
    Step(keys="1", pause=1.0),
    Step(keys="3", pause=1.4),
    Step(keys=F4, pause=1.4, shot="cluster"),
    Step(keys=F6, pause=0.6),
    Step(keys=DOWN, pause=0.5),
    Step(keys=DOWN, pause=0.5),
    Step(keys=ENTER, pause=1.4, shot="catalog"),
    Step(keys=F2, pause=1.2),
)
