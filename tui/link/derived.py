"""A result sorted, filtered or counted by a new query over the statement that made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flight_server.client import quote_name, quote_text


@dataclass(frozen=True, slots=True)
class Derived:
    """``base`` with conditions, and an order by the number of a column (from 1)."""

    base: str
    where: tuple[str, ...] = ()
    order: int | None = None
    ascending: bool = True

    @property
    def sql(self) -> str:
        """The statement to run; ``base`` itself when nothing was asked of it."""
        if not self.where and self.order is None:
            return self.base
        lines = ["SELECT * FROM (", self.base, ") AS result"]
        if self.where:
            lines.append("WHERE " + " AND ".join(f"({condition})" for condition in self.where))
        if self.order is not None:
            lines.append(f"ORDER BY {self.order} {'ASC' if self.ascending else 'DESC'} NULLS LAST")
        return "\n".join(lines)

    def chips(self, columns: Sequence[str]) -> list[str]:
        """What was asked of ``base``, a few words each; ``columns`` are the names of the result's."""
        order = [] if self.order is None else [f"{'▲' if self.ascending else '▼'} {columns[self.order - 1]}"]
        return [*order, *(f"where {' '.join(condition.split())}" for condition in self.where)]

    def sorted_by(self, column: int) -> Derived:
        """Ordered by a column: upwards; downwards where it is upwards; not at all where it is downwards."""
        if self.order != column:
            return replace(self, order=column, ascending=True)
        return replace(self, ascending=False) if self.ascending else replace(self, order=None, ascending=True)

    def filtered(self, condition: str) -> Derived:
        """With one more condition; an empty one takes all away."""
        stripped = condition.strip()
        return replace(self, where=(*self.where, stripped) if stripped else ())

    def without(self, chip: int) -> Derived:
        """With all that was asked but the ``chip``-th of :meth:`chips`."""
        condition = chip if self.order is None else chip - 1
        if condition < 0:
            return replace(self, order=None, ascending=True)
        return replace(self, where=self.where[:condition] + self.where[condition + 1 :])


def equals(column: str, text: str | None, *, number: bool) -> str:
    """The condition that a column has a value, as a filter begins with."""
    if text is None:
        return f"{quote_name(column)} IS NULL"
    if number:
        return f"{quote_name(column)} = {text}"
    return f"{quote_name(column)} = {quote_text(text)}"


def histogram_sql(base: str, column: str, bins: int) -> str:
    """Counts of a numeric column in ``bins`` equal stretches: columns bin, n, low, high, missing (NULL, or no finite number)."""
    return f"""WITH numbers AS (SELECT CASE WHEN isfinite(x) THEN x END AS x FROM (SELECT CAST({quote_name(column)} AS DOUBLE) AS x FROM (
{base}
) AS result) AS cast_ones),
bounds AS (SELECT min(x) AS low, max(x) AS high, count(*) - count(x) AS missing FROM numbers)
SELECT CAST(least(coalesce(floor((x - low) / nullif((high - low) / {bins}, 0)), 0), {bins - 1}) AS INTEGER) AS bin,
       count(*) AS n, min(low) AS low, max(high) AS high, max(missing) AS missing
FROM numbers CROSS JOIN bounds WHERE x IS NOT NULL GROUP BY 1 ORDER BY 1"""


def frequencies_sql(base: str, column: str, most: int) -> str:
    """The values of a column that occur most: columns value, n; in each line also ``total`` rows, and how many values were ``found``."""
    return f"""SELECT value, n, CAST(sum(n) OVER () AS BIGINT) AS total, count(*) OVER () AS found FROM (
SELECT CAST({quote_name(column)} AS VARCHAR) AS value, count(*) AS n FROM (
{base}
) AS result GROUP BY 1) AS counted ORDER BY n DESC, value LIMIT {most}"""
