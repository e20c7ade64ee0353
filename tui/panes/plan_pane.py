"""The live plan of a query: a tree of fragments and exchanges with what went through each, and where it is slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from flight_server.protocol.messages import OperatorStatus, QueryStatus
from tui import keys
from tui.draw import amounts
from tui.draw.canvas import Line, Segment, cut, draw, fit, width
from tui.panes.row_list import ListRow, RowList
from tui.panes.skew import MOST_BARS, SKEW_SHOWN, skew, slowest, spread_words, worker_bars

ICONS = {"waiting": ("waiting", "○"), "running": ("running", "●"), "completed": ("ok", "✓"), "failed": ("error", "✗")}
MIN_TREE = 22


@dataclass(frozen=True, slots=True)
class Node:
    """A line of the tree. ``seen``: this operator has its own line further up."""

    operator: OperatorStatus
    branch: str
    seen: bool = False


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column of figures; left out where it is empty for all operators."""

    title: str
    width: int
    text: Callable[[OperatorStatus], str]
    hot: bool = False


# In the order of what is wanted first where there is not room for all.
FIGURES: tuple[_Figure, ...] = (
    _Figure("records", 9, lambda o: _records(o)),
    _Figure("rows", 7, lambda o: amounts.short_count(o.rows) if o.rows else ""),
    _Figure("skew", 5, lambda o: f"×{skew(o):.1f}" if skew(o) >= SKEW_SHOWN else "", hot=True),
    _Figure("workers", MOST_BARS, worker_bars),
    _Figure("queue", 5, lambda o: str(o.queue_depth) if o.queue_depth else ""),
    _Figure("lease", 5, lambda o: str(o.leases) if o.leases else ""),
    _Figure("retry", 5, lambda o: str(o.retries) if o.retries else "", hot=True),
    _Figure("bytes", 8, lambda o: amounts.size(o.bytes) if o.bytes else ""),
    _Figure("time", 7, lambda o: amounts.seconds(o.seconds) if o.seconds else ""),
    _Figure("read", 8, lambda o: amounts.size(o.scanned_bytes) if o.scanned_bytes else ""),
)


def tree(operators: Sequence[OperatorStatus]) -> list[Node]:
    """The operators as a tree, what is nearest the result first, inputs below what they feed."""
    by_name = {operator.operator: operator for operator in operators}
    fed = {name for operator in operators for name in operator.inputs}
    roots = [operator for operator in operators if operator.operator not in fed]
    nodes: list[Node] = []
    seen: set[str] = set()

    def walk(operator: OperatorStatus, lead: str, branch: str) -> None:
        known = operator.operator in seen
        nodes.append(Node(operator, lead + branch, known))
        seen.add(operator.operator)
        if known:
            return
        inputs = [by_name[name] for name in operator.inputs if name in by_name]
        below = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
        for number, item in enumerate(inputs):
            walk(item, below, "└─ " if number == len(inputs) - 1 else "├─ ")

    for root in roots:
        walk(root, "", "")
    return nodes


class PlanPane(urwid.Widget):
    """Shows a query's operators as they change. ``act(action)`` is called for keys that are not about moving."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, act: Callable[[str], None]) -> None:
        super().__init__()
        self.status: QueryStatus | None = None
        self._act = act
        self._list = RowList(lambda _key: self._invalidate(), lambda _key: act("peek"))

    def show(self, status: QueryStatus | None) -> None:
        self.status = status
        self._invalidate()

    @property
    def operator(self) -> OperatorStatus | None:
        """The operator of the current line."""
        if self.status is None:
            return None
        return next((item for item in self.status.operators if item.operator == self._list.key), None)

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        if rows < 2 or columns < 2:
            return draw([], columns, rows)
        if self.status is None or not self.status.operators:
            return draw([[("dim", " The plan shows here as soon as the query runs.")]], columns, rows)
        rows_of_tree, header = self._rows(columns)
        self._list.set_rows(rows_of_tree, [header])
        detail = self._detail(columns, max(0, rows - len(rows_of_tree) - 2))
        upper = self._list.render((columns, max(1, rows - len(detail))), focus)
        if not detail:
            return urwid.CompositeCanvas(upper)
        return urwid.CanvasCombine([(upper, None, True), (draw(detail, columns, len(detail)), None, False)])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self._list.keypress(size, key) is None:
            self._invalidate()
            return None
        found = keys.action("plan", key)
        if found is None:
            return key
        self._act(found)
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        handled = self._list.mouse_event(size, event, button, col, row, focus)
        self._invalidate()
        return handled

    def _rows(self, columns: int) -> tuple[list[ListRow], Line]:
        assert self.status is not None
        nodes = tree(self.status.operators)
        figures: list[_Figure] = []
        used = 0
        for figure in FIGURES:
            filled = any(figure.text(node.operator) for node in nodes)
            if filled and columns - used - figure.width - 1 >= MIN_TREE:
                figures.append(figure)
                used += figure.width + 1
        room = min(columns - used, max(MIN_TREE, max(width(_label(node)) for node in nodes) + 1))
        header: list[Segment] = [("header", fit("operator", room))]
        header += [("header", " " + fit(figure.title, figure.width, right=True)) for figure in figures]
        rows = [ListRow(node.operator.operator, self._line(node, room, figures)) for node in nodes]
        return rows, [*header, ("header", "")]

    def _line(self, node: Node, room: int, figures: Sequence[_Figure]) -> Line:
        operator = node.operator
        attribute, icon = ICONS[operator.state]
        head = node.branch + icon
        name = "strong" if operator.kind == "exchange" else "text"
        line: list[Segment] = [("rule", node.branch), (attribute, icon)]
        if node.seen:
            return [*line, ("dim", fit(f" {operator.operator}, above", room - width(head)))]
        line.append((name, fit(f" {_title(operator)}", room - width(head))))
        for figure in figures:
            text = figure.text(operator)
            line.append(("bar.hot" if figure.hot and text else "text", " " + fit(text, figure.width, right=True)))
        return line

    def _detail(self, columns: int, room: int) -> list[Line]:
        """The instances of the current operator, side by side."""
        operator = self.operator
        if operator is None or room < 2:
            return []
        hint = "  Enter: look at its records" if operator.kind == "exchange" else ""
        lines: list[Line] = [[("header", cut(f" {_named(operator)}{hint}", columns)), ("header", "")]]
        if operator.division and room > 4:
            lines.append([("dim", cut(f" {operator.division}", columns))])
        if operator.spread is not None and room > 3:
            lit = "bar.hot" if skew(operator) >= SKEW_SHOWN else "dim"
            lines.append([(lit, cut(f" {spread_words(operator.spread)}", columns))])
        most = max((instance.rows for instance in operator.instances), default=0)
        late = slowest(operator)
        for instance in operator.instances[: room - len(lines)]:
            hot = instance is late or (operator.spread is None and skew(operator) >= SKEW_SHOWN and instance.rows == most)
            bar = amounts.bar(instance.rows / most if most else 0.0, 16)
            figures = (
                f" {amounts.short_count(instance.rows):>7} rows {amounts.size(instance.bytes):>8} {amounts.seconds(instance.seconds):>8}"
            )
            lines.append(
                [
                    ICONS[instance.state if operator.state == "running" else operator.state],
                    ("text", fit(f" {instance.worker_id}", 16)),
                    ("bar.hot" if hot else "bar", bar),
                    ("text", figures),
                    ("warn", "  slowest" if instance is late else ""),
                ]
            )
        return lines


def _records(operator: OperatorStatus) -> str:
    if operator.records_total:
        return f"{operator.records_done}/{operator.records_total}"
    return str(operator.records_done) if operator.records_done else ""


def _title(operator: OperatorStatus) -> str:
    mark = "⇄ " if operator.kind == "exchange" else ""
    return mark + (operator.title or operator.operator)


def _named(operator: OperatorStatus) -> str:
    return operator.operator if operator.title in ("", operator.operator) else f"{operator.operator}  {operator.title}"


def _label(node: Node) -> str:
    return f"{node.branch}● {_title(node.operator)}"
