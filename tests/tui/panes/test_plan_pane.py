from __future__ import annotations

import msgspec
from urwid import testing

from flight_server.protocol.messages import OperatorStatus, QueryStatus, ShareSpread
from tests.tui.fake_server import OPERATORS
from tui.panes.plan_pane import PlanPane, tree

STATUS = QueryStatus("q1", "SELECT 1", "running", operators=OPERATORS)


def pane() -> tuple[PlanPane, list[str]]:
    actions: list[str] = []
    made = PlanPane(actions.append)
    made.show(STATUS)
    return made, actions


def test_the_tree_begins_at_the_result_and_goes_down_to_the_scans() -> None:
    assert [(node.branch, node.operator.operator) for node in tree(OPERATORS)] == [
        ("", "result"),
        ("└─ ", "final"),
        ("   └─ ", "exchange-1"),
        ("      └─ ", "scan"),
    ]


def test_an_operator_that_feeds_two_is_drawn_once() -> None:
    diamond = [
        OperatorStatus("top", "result", "top", inputs=["a", "b"]),
        OperatorStatus("a", "producer", "a", inputs=["scan"]),
        OperatorStatus("b", "producer", "b", inputs=["scan"]),
        OperatorStatus("scan", "producer", "scan"),
    ]
    assert [(node.operator.operator, node.seen) for node in tree(diamond)] == [
        ("top", False),
        ("a", False),
        ("scan", False),
        ("b", False),
        ("scan", True),
    ]


def test_figures_that_matter_show() -> None:
    made, _ = pane()
    lines = testing.render_text(made, (120, 14), focus=True)
    assert lines[0].split() == ["operator", "records", "rows", "skew", "workers", "queue", "lease", "retry", "bytes", "time"]
    assert lines[4].split()[-7:] == ["60.0K", "×1.7", "1", "2.00", "MB", "5.00", "MB"] or "×1.7" in lines[4]
    assert "3" in lines[3]


def test_skew_and_the_slowest_instance_stand_out() -> None:
    made, _ = pane()
    testing.render_text(made, (120, 14), focus=True)
    testing.press(made, (120, 14), "down", "down", "down")
    runs = testing.render_runs(made, (120, 14), focus=True)
    hot = [text.strip() for row in runs for attribute, text in row if attribute == "bar.hot" and text.strip()]
    assert any("█" in text for text in hot)
    assert any("slowest" in text for row in runs for _, text in row)


def test_an_operator_says_what_it_divides_and_how_alike_its_shares_are() -> None:
    spread = ShareSpread(9, rows_most=12_000, rows_median=3_000, seconds_most=0.8, seconds_median=0.4)
    named = msgspec.structs.replace(OPERATORS[3], operator="fragment-0", title="join: a, b")
    joined = msgspec.structs.replace(named, division="a and b by ranges of k", spread=spread)
    made = PlanPane(lambda _action: None)
    made.show(QueryStatus("q1", "SELECT 1", "running", operators=[joined]))
    lines = [line.decode() if isinstance(line, bytes) else line for line in testing.render_text(made, (100, 12), focus=True)]
    assert "×4.0" in lines[1]
    assert "█▁" in lines[1]
    detail = next(place for place, line in enumerate(lines) if "fragment-0" in line)
    assert [line.strip() for line in lines[detail : detail + 3]] == [
        "fragment-0  join: a, b",
        "a and b by ranges of k",
        "largest of 9 shares: 800 ms (×2.0), 12.0K rows (×4.0)",
    ]
    assert [line.split()[1] for line in lines[detail + 3 : detail + 5]] == ["w1", "w2"]


def test_enter_on_a_line_asks_for_its_records() -> None:
    made, actions = pane()
    testing.render_text(made, (80, 14), focus=True)
    testing.press(made, (80, 14), "down", "down", "enter")
    assert actions == ["peek"]
    assert made.operator is not None
    assert made.operator.operator == "exchange-1"


def test_the_current_line_stays_while_figures_change() -> None:
    made, _ = pane()
    testing.render_text(made, (80, 14), focus=True)
    testing.press(made, (80, 14), "down", "down")
    made.show(QueryStatus("q1", "SELECT 1", "running", operators=[OperatorStatus("new", "result", "new", inputs=["result"]), *OPERATORS]))
    testing.render_text(made, (80, 14), focus=True)
    assert made.operator is not None
    assert made.operator.operator == "exchange-1"


def test_any_size_can_be_drawn() -> None:
    testing.check_box_sizing(pane()[0])
    testing.check_box_sizing(PlanPane(lambda _action: None))
