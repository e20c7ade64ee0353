"""What the demonstration shows: keys as a person presses them, pauses, and the moments that become screenshots.

Its tables are those of `flight sample-data`.
"""

from __future__ import annotations

from dataclasses import dataclass

COLUMNS, ROWS = 124, 32

ESCAPE = "\x1b"
ENTER = "\r"
TAB = "\t"
DOWN = "\x1b[B"
LEFT = "\x1b[D"
PAGE_DOWN = "\x1b[6~"
F2, F4, F5, F6, F7 = "\x1bOQ", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~"
SELECT_ALL, CLEAR_LINE = "\x01", "\x15"
END = "\x1b[F"


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


LOOK = "select * from orders"
REVENUE = """select country, value1 as words, count(*) as orders, sum(amount) as revenue
from sample
join orders on order_id = id
join customers using (customer_id)
where md5(value1 || id) > '2'
group by all order by revenue desc limit 200"""
CHEAP = "amount < 100"
STATEMENTS = (LOOK, f"{LOOK} where {CHEAP}", REVENUE)

STORY: tuple[Step, ...] = (
    Step(see="orders", pause=0.8),
    Step(typed="select * from ord"),
    Step(keys=TAB, pause=0.4),
    Step(keys=F5, see="ordered_at", pause=0.8),
    Step(keys=ESCAPE, pause=0.5),
    *[Step(keys=PAGE_DOWN, pause=0.25)] * 6,
    Step(keys="G", see="1,000,000/1,000,000", pause=1.2, shot="results"),
    Step(keys=END, pause=0.3),
    Step(keys=LEFT, pause=0.3),
    Step(keys="f", see="Keep rows where", pause=0.5),
    Step(keys=CLEAR_LINE),
    Step(typed=CHEAP),
    Step(keys=ENTER, see=f"where {CHEAP}", pause=0.8),
    Step(keys="s", see="▲ amount", pause=0.7),
    Step(keys="s", see="▼ amount", pause=0.9),
    Step(keys="h", see="(12,2) all", pause=1.6, shot="chart"),
    Step(keys="1", pause=0.3),
    Step(keys=F7, pause=0.3),
    Step(keys=SELECT_ALL, pause=0.3),
    Step(keys="\x1b[200~" + REVENUE + "\x1b[201~", see="limit 200", pause=1.0),
    Step(keys=F5, pause=0.1),
    Step(keys=F7, pause=0.15),
    Step(keys="2", see="⇄ gather sample", pause=0.6, shot="plan-running"),
    *[Step(keys=DOWN, pause=0.1)] * 2,
    Step(keys=ENTER, see="waiting", pause=1.4, shot="peek"),
    Step(keys=ESCAPE, pause=0.4),
    Step(see="✓ 200 rows", pause=1.0),
    Step(keys="1", pause=1.2),
    Step(keys="3", pause=1.4),
    Step(keys=F4, pause=1.4, shot="cluster"),
    Step(keys=F6, pause=0.6),
    Step(keys=DOWN, pause=0.5),
    Step(keys=ENTER, pause=1.4, shot="catalog"),
    Step(keys=F2, pause=1.2),
)
