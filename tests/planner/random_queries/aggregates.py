"""Aggregates and windows over what is visible, all of them with one answer only, in whatever order rows come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.planner.random_queries.expressions import INEXACT, ORDERED_KINDS, RATIO, Expressions, Visible

SUMMED = ("int", "decimal", "float")
PLAIN_RESULTS = ("int", "decimal", "float", "text", "date", "timestamp", "bool", RATIO)

PEER_FRAMES = ("", "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW", "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW")
ROW_FRAMES = (
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS UNBOUNDED PRECEDING",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Random calls of aggregates and window functions."""

    expressions: Expressions

    def aggregate(self, columns: Sequence[Visible], *, filtered: bool = True) -> tuple[str, str]:
        """A call and the kind of its value."""
        pick = self.expressions.pick
        sql, kind = self._call(columns)
        if filtered and pick.random() < 0.15:
            sql += f" FILTER (WHERE {self.expressions.condition(columns, 1)})"
        return sql, kind

    def exact(self, columns: Sequence[Visible]) -> tuple[str, str]:
        """A call whose value may be compared, ordered and grouped."""
        for _ in range(20):
            sql, kind = self.aggregate(columns)
            if kind in PLAIN_RESULTS:
                return sql, kind
        return "count(*)", "int"

    def _call(self, columns: Sequence[Visible]) -> tuple[str, str]:
        pick = self.expressions.pick
        if pick.random() < 0.15:
            return pick.choice(("count(*)", "count()")), "int"
        x, kind = self.expressions.value(columns, 1 if pick.random() < 0.4 else 0)
        forms = [(f"count({x})", "int"), (f"min({x})", kind), (f"max({x})", kind)]
        rare = [(f"count(DISTINCT {x})", "int"), (f"min(DISTINCT {x})", kind), (f"approx_count_distinct({x})", "int")]
        rare += [(f"first({x} ORDER BY {x})", kind), (f"last({x} ORDER BY {x} DESC)", kind), (f"arg_min({x}, {x})", kind)]
        rare += [(f"list({x} ORDER BY {x})", INEXACT), (f"list(DISTINCT {x} ORDER BY {x} DESC)", INEXACT), (f"min({x}, 2)", INEXACT)]
        rare += [(f"string_agg({x}::VARCHAR, '|' ORDER BY {x}::VARCHAR)", "text"), (f"arg_max({x}, {x}, 2)", INEXACT)]
        rare += [(f"string_agg(DISTINCT {x}::VARCHAR, '|' ORDER BY {x}::VARCHAR)", "text"), (f"count_if({x} IS NULL)", "int")]
        other = self.expressions.column(columns)
        if other is not None:
            rare += [(f"arg_max({x}, row({other.sql}, {x}))", kind), (f"count(DISTINCT ({x}, {other.sql}))", "int")]
            rare += [(f"arg_min_null({x}, row({other.sql}, {x}))", kind)]
        if kind in SUMMED:
            forms += [(f"sum({x})", kind), (f"avg({x})", RATIO)] * 2
            rare += [(f"sum(DISTINCT {x})", kind), (f"avg(DISTINCT {x})", RATIO), (f"median({x})", RATIO)]
            rare += [(f"quantile_cont({x}, 0.7)", RATIO), (f"quantile_disc({x}, [0.2, 0.5])", INEXACT), (f"sum({x} ORDER BY {x})", kind)]
        if kind in ORDERED_KINDS and kind != "text":
            rare += [(f"quantile_disc({x}, 0.3)", kind), (f"histogram({x})", INEXACT)]
        if kind == "int":
            small = f"({x} % 50)"
            rare += [(f"bit_and({small})", "int"), (f"bit_or({small})", "int"), (f"bit_xor({small})", "int"), (f"mad({x})", RATIO)]
            rare += [(f"{name}({small})", INEXACT) for name in ("stddev", "stddev_pop", "var_pop", "variance", "sem", "fsum", "favg")]
            rare += [(f"product({small})", INEXACT), (f"bitstring_agg({small}::INTEGER, -50, 50)", INEXACT), (f"entropy({small})", INEXACT)]
            second = self.expressions.column(columns, "int")
            if second is not None:
                pair = f"{small}, ({second.sql} % 50)"
                rare += [
                    (f"{name}({pair})", INEXACT) for name in ("covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_sxx", "regr_sxy")
                ]
                rare += [(f"regr_count({pair})", "int")]
        if kind == "bool":
            forms += [(f"bool_and({x})", "bool"), (f"bool_or({x})", "bool"), (f"count_if({x})", "int")]
        return pick.choice(forms if pick.random() < 0.6 else rare)

    def window(self, columns: Sequence[Visible], *, alike: bool = False) -> tuple[str, str]:
        """A window function over all the rows, or over partitions, with a frame or without.

        ``alike``: equal rows have equal values. Otherwise they may have different ones, and which of them has which is not determined: in
        a block there may be one such column, and nothing may choose among the rows by another.
        """
        pick = self.expressions.pick
        partitions: list[str] = []
        if pick.random() < 0.65:
            partitions = [self.expressions.value(columns, int(pick.random() < 0.2))[0] for _ in range(pick.choice((1, 1, 2)))]
        partition = f"PARTITION BY {', '.join(partitions)}" if partitions else ""
        usable = [column for column in columns if column.kind != INEXACT]
        order = f"ORDER BY {self.expressions.total_order(usable)}" if usable else ""
        if pick.random() < 0.45 and order:
            call, kind = self._ranked(columns, alike)
            return f"{call} OVER ({partition} {order})", kind
        call, kind = self._framed(columns)
        if pick.random() < 0.4 or not order:
            return f"{call} OVER ({partition})", kind
        frame = pick.choice(PEER_FRAMES if alike else PEER_FRAMES + ROW_FRAMES)
        key = self.expressions.column(columns, "int", "date", "decimal")
        if key is not None and pick.random() < 0.3:
            by = "INTERVAL 2 DAY" if key.kind == "date" else "1"
            order, frame = f"ORDER BY {key.sql}", f"RANGE BETWEEN {by} PRECEDING AND {by} FOLLOWING"
            if key.kind == "int":
                order = f"ORDER BY ({key.sql} % 20)::INTEGER"
        return f"{call} OVER ({partition} {order} {frame})", kind

    def _ranked(self, columns: Sequence[Visible], alike: bool) -> tuple[str, str]:
        x, kind = self.expressions.value(columns, 0)
        forms = [("rank()", "int"), ("dense_rank()", "int"), ("percent_rank()", RATIO), ("cume_dist()", RATIO)]
        forms += [(f"first_value({x})", kind), (f"last_value({x})", kind), (f"nth_value({x}, 2)", kind)]
        if not alike:
            forms += [("row_number()", "int"), ("row_number()", "int"), ("ntile(3)", "int"), (f"lag({x})", kind), (f"lead({x}, 2)", kind)]
        return self.expressions.pick.choice(forms)

    def _framed(self, columns: Sequence[Visible]) -> tuple[str, str]:
        pick = self.expressions.pick
        x, kind = self.expressions.value(columns, 0)
        forms = [(f"count({x})", "int"), ("count(*)", "int"), (f"min({x})", kind), (f"max({x})", kind), (f"count(DISTINCT {x})", "int")]
        if kind in ("int", "decimal"):
            forms += [(f"sum({x})", kind), (f"avg({x})", RATIO)] * 2
        return pick.choice(forms)
