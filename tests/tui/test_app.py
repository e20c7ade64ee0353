"""The whole program on a screen without a terminal: keys in, text out."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pyarrow as pa
import pytest
import urwid
from urwid import testing

from flight_server.protocol.messages import ErrorInfo
from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground, InlineFollower
from tui.app import App, CannotOpen, main
from tui.editor.history import History
from tui.editor.saved_tabs import SavedTabs
from tui.keys import KEYS

SIZE = (100, 30)
WIDE_SIZE = (140, 30)
LINEITEM = pa.table(
    {
        "l_orderkey": list(range(5000)),
        "l_shipmode": [("AIR", "RAIL", None)[n % 3] for n in range(5000)],
        "l_tax": [n % 8 / 100 for n in range(5000)],
    }
)


class Screen:
    """An app, its fake server, and hands and eyes for it."""

    def __init__(
        self,
        tmp_path: Path,
        *,
        size: tuple[int, int] = SIZE,
        files: tuple[str, ...] = (),
        run: bool = False,
        tabs: SavedTabs | None = None,
    ) -> None:
        self.server = FakeServer({"lineitem": LINEITEM})
        self.follower = InlineFollower(self.server.status)
        self.screen = testing.ScriptedScreen(size=size)
        self.app = App(
            self.server,
            "grpc://127.0.0.1:8815",
            files=files,
            run=run,
            tabs=tabs,
            theme="dark",
            history=History(tmp_path / "history.jsonl"),
            screen=self.screen,
            post=lambda call: call(),
            background=InlineBackground(),
            follower=self.follower,
        )
        self.app.session.look()
        self.app.open_files()

    def keys(self, *keys: str) -> str:
        self.app.loop.process_input(list(keys))
        return self.text()

    def type(self, text: str) -> str:
        return self.keys(*("enter" if letter == "\n" else letter for letter in text))

    def text(self) -> str:
        return "\n".join(testing.render_text(self.app.dialogs, self.screen.size, focus=True, strip=True))

    def run(self, sql: str) -> str:
        self.type(sql)
        return self.keys("f5")


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    return Screen(tmp_path)


def test_a_first_look(screen: Screen) -> None:
    shown = screen.text()
    assert "F2 Editor" in shown
    assert "● 127.0.0.1:8815" in shown
    assert "F5 run" in shown.splitlines()[-1]
    assert screen.app.dialogs.render(SIZE, True).cursor == (4, 2)


def test_write_complete_run_and_look(screen: Screen) -> None:
    screen.type("select * from line")
    screen.keys("tab")
    shown = screen.keys("f5")
    assert "l_shipmode" in shown
    assert "▷ held  2,000+ rows" in screen.text(), "the first page has been read by now, and more was made"
    shown = screen.keys("esc", "G")
    assert "5,000/5,000" in shown
    assert "✓ completed  5,000 rows" in shown
    assert "Enter value" in shown.splitlines()[-1]


def test_only_the_statement_under_the_cursor_runs(screen: Screen) -> None:
    screen.type("select 1 as one;\nselect 2 as two")
    shown = screen.keys("up", "f5")
    assert "one" in shown.splitlines()[13]
    assert screen.app.documents.current.run is not None
    assert screen.app.documents.current.run.sql == "select 1 as one"


def test_the_selection_runs_as_a_list(screen: Screen) -> None:
    screen.type("select 1;select 2;select 3;")
    screen.keys("ctrl a", "f5")
    assert screen.app.views.name == "queries"
    assert [run.sql for run in screen.app.book.runs] == ["select 1", "select 2", "select 3"]


def test_an_error_is_marked_where_it_is_and_can_be_read(screen: Screen) -> None:
    shown = screen.run("select 1;\nselect\n  2 ! 3")
    assert "✗ failed" in shown
    assert "▶3" in shown
    assert screen.app.documents.current.editor.position() == "3:5"
    assert shown.count("unexpected '!' (line 3, column 5)") == shown.count("unexpected") == 1
    assert screen.keys("esc", "4").count("unexpected") == 1
    assert screen.keys("2").count("unexpected") == 1
    shown = screen.keys("f3")
    assert shown.count("unexpected") == 1
    assert "select 2 ! 3" in shown


def test_a_statement_that_ends_too_soon_is_marked_at_its_end(screen: Screen) -> None:
    screen.server.held = True
    screen.run("select 1 +")
    run = screen.app.documents.current.run
    assert run is not None
    run.error = ErrorInfo("INVALID_ARGUMENT", "syntax error: expected an expression, found EOF")
    screen.app.documents.mark_error(run)
    assert screen.app.documents.current.editor.position() == "1:10"


def test_results_can_be_sorted_filtered_and_searched(screen: Screen) -> None:
    screen.run("select * from lineitem")
    screen.keys("esc", "s", "s")
    assert screen.app.views.editor_panel.run is not None
    assert "ORDER BY 1 DESC" in screen.app.views.editor_panel.run.sql
    assert "l_orderkey ▼" in screen.text()
    screen.keys("right", "f", *["backspace"] * 60)
    screen.type("l_orderkey < 10 and l_shipmode is null")
    shown = screen.keys("enter")
    assert "3 rows" in shown
    screen.keys("f", *["backspace"] * 60, "enter")
    screen.keys("/")
    screen.type("rail")
    shown = screen.keys("enter")
    assert "2,000+ rows" in shown
    view = screen.app.views.editor_panel.view
    assert view is not None
    assert view.table is not None
    assert view.table.value() == "RAIL"
    assert "no 'nowhere'" in screen.keys("/", *["backspace"] * 8, *"nowhere", "enter")


def test_one_stays_in_the_column_that_one_filters_by(screen: Screen) -> None:
    screen.run("select * from lineitem")
    screen.keys("esc", "right", "right", "f", *["backspace"] * 60, *"l_tax < 0.01", "enter")
    screen.keys("s")
    assert "▲ l_tax" in screen.text()
    screen.keys("left", "f", *["backspace"] * 60, "enter")
    assert "l_shipmode varchar" in screen.keys("h")


def test_a_click_takes_a_sort_or_a_condition_away(screen: Screen) -> None:
    screen.run("select * from lineitem")
    screen.keys("esc", "s", "f", *["backspace"] * 60, *"l_tax < 0.01", "enter")

    def click(chip: str) -> str:
        lines = screen.text().splitlines()
        row = next(number for number, line in enumerate(lines) if chip in line and "×" in line)
        screen.app.loop.process_input([("mouse press", 1, lines[row].index(chip) + 1, row)])
        return next((line for line in screen.text().splitlines() if "×" in line), "")

    assert click("▲ l_orderkey").strip() == "where l_tax < 0.01 ×"
    assert click("where l_tax") == ""
    assert screen.app.views.editor_panel.run is screen.app.book.runs[0]
    assert len(screen.app.book.runs) == 4


def test_going_to_a_row_and_reading_a_value_whole(screen: Screen) -> None:
    screen.run("select n, repeat('long ', 300) || n as t from range(3000) x(n)")
    screen.keys("esc", ":", *"2,500", "enter", "right")
    shown = screen.keys("enter")
    assert "row 2,500" in screen.keys("end")
    assert "long long" in shown
    screen.keys("esc")
    assert screen.app.dialogs.depth == 0


def test_a_chart_of_the_column_and_of_all_its_rows(screen: Screen) -> None:
    screen.run("select * from lineitem")
    shown = screen.keys("esc", "right", "h")
    assert "l_shipmode varchar" in shown
    assert "AIR" in shown
    shown = screen.keys("right", "a")
    assert "l_tax double all 5,000 rows" in shown
    screen.keys("1", "G")
    assert "l_tax double all 5,000 rows" in screen.keys("3")


def test_the_plan_is_there_and_an_exchange_can_be_looked_into(screen: Screen) -> None:
    screen.server.held = True
    screen.run("select * from lineitem")
    screen.server.peeked = pa.table({"key": [7, 8]}).to_batches()
    shown = screen.keys("esc", "2")
    assert "hash(l_orderkey)" in shown
    assert "records pass through exchanges" in screen.keys("enter")
    shown = screen.keys("down", "down", "enter")
    assert "exchange-1: records that wait" in shown
    assert "1 record, 2 rows waiting" in shown
    screen.keys("down", "esc")
    assert screen.app.dialogs.depth == 0


def test_a_file_of_queries_of_which_one_fails(tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("select 1 as one;\nselect !;\nselect 3 as three;\n")
    screen = Screen(tmp_path, files=(str(file),))
    assert "▶ 0 running  ○ 3 waiting" in screen.text()
    shown = screen.keys("f5")
    assert "3 queries" in shown
    assert "✓ 2 completed  ✗ 1 failed" in shown
    assert "✓ 2 completed  ✗ 1 failed" in Screen(tmp_path, files=(str(file),), run=True).text()
    assert "three" in screen.keys("down", "down").splitlines()[-10:][0] or "three" in screen.text()
    screen.keys("up", "E")
    assert screen.app.views.name == "editor"
    assert screen.app.documents.current.name == "report.sql"
    assert screen.app.documents.current.editor.position() == "2:1"


def test_queries_that_run_together_show_their_own_rows(screen: Screen) -> None:
    screen.server.held = True
    screen.server.rows_per_group = 5
    screen.type("select n + 100 as a from range(20) t(n);\nselect n + 200 as b from range(20) t(n);")
    screen.keys("meta t")
    assert "▶ 2 running" in screen.text()
    assert " 100" in screen.text()
    assert " 200" in screen.keys("down")


def test_killing_the_query_that_is_shown(screen: Screen) -> None:
    screen.server.held = True
    screen.run("select * from lineitem")
    screen.keys("f8")
    screen.follower.look_at_all()
    assert screen.server.killed == ["q1"]
    assert "killed" in screen.text()


def test_killing_from_the_cluster_asks_first(screen: Screen) -> None:
    screen.server.held = True
    screen.run("select * from lineitem")
    screen.app.session.look()
    screen.keys("f4", "k")
    assert screen.server.killed == []
    screen.keys("y")
    assert screen.server.killed == ["q1"]


def test_a_query_of_the_cluster_opens_with_its_plan(screen: Screen) -> None:
    screen.server.held = True
    screen.server.submit("select 42 as elsewhere")
    screen.app.session.look()
    screen.keys("f4", "enter")
    assert screen.app.views.name == "queries"
    assert "select 42 as elsewhere" in screen.text()
    assert "scan lineitem" in screen.text()


def test_a_lost_server_shows_and_what_is_on_the_screen_stays(screen: Screen) -> None:
    screen.run("select * from lineitem")
    screen.server.down = True
    screen.app.session.look()
    shown = screen.text()
    assert "no server at 127.0.0.1:8815" in shown
    assert "l_shipmode" in shown
    shown = screen.run(";select 1")
    assert "✗ failed" in shown
    assert "cannot reach a server" in shown
    screen.server.down = False
    screen.app.session.look()
    assert "● 127.0.0.1:8815" in screen.text()


def test_history_is_searched_and_taken(screen: Screen) -> None:
    screen.run("select 1 as first")
    screen.keys("ctrl t")
    screen.run("select 2 as second")
    screen.keys("ctrl t", "ctrl r")
    shown = screen.type("first")
    assert "select 1 as first" in shown
    screen.keys("enter")
    assert screen.app.documents.current.editor.buffer.text == "select 1 as first;"


def test_files_are_saved_and_opened(screen: Screen, tmp_path: Path) -> None:
    screen.type("select 1")
    screen.keys("ctrl s", *["backspace"] * 30)
    screen.type(str(tmp_path / "a.sql"))
    screen.keys("enter")
    assert (tmp_path / "a.sql").read_text() == "select 1\n"
    screen.keys("ctrl w", "ctrl o")
    screen.type(str(tmp_path / "a.sql"))
    shown = screen.keys("enter")
    assert "a.sql" in shown
    assert "cannot open" in screen.keys("ctrl o", *"none.sql", "enter")


def test_a_tab_with_changes_asks_before_it_closes(screen: Screen) -> None:
    screen.type("select 1")
    assert "not saved" in screen.keys("ctrl w")
    screen.keys("n")
    assert screen.app.documents.current.editor.buffer.text == "select 1"
    screen.keys("ctrl w", "y")
    assert screen.app.documents.current.editor.buffer.text == ""


def test_exporting_writes_the_whole_result(screen: Screen, tmp_path: Path) -> None:
    screen.run("select l_orderkey from lineitem order by 1")
    screen.keys("esc", "e", *["backspace"] * 30)
    screen.type(str(tmp_path / "out.csv"))
    shown = screen.keys("enter")
    assert "wrote 5,000 rows" in shown
    assert (tmp_path / "out.csv").read_text().splitlines()[-1] == "4999"


def test_the_catalog_puts_a_query_into_the_editor(screen: Screen) -> None:
    screen.keys("f6")
    assert "lineitem" in screen.text()
    screen.keys("q")
    assert screen.app.views.name == "editor"
    assert screen.app.documents.current.editor.buffer.text == "SELECT *\nFROM lineitem"


def test_help_lists_the_keys_of_where_one_is_first(screen: Screen) -> None:
    shown = screen.keys("f1")
    assert shown.index("run the selection") > 0
    screen.keys("esc", "f4")
    assert "between workers and queries" in screen.keys("?")


def test_views_and_tabs_answer_to_the_mouse(screen: Screen) -> None:
    first = screen.text().splitlines()[0]
    screen.app.loop.process_input([("mouse press", 1, first.index("F4 Cluster"), 0)])
    assert screen.app.views.name == "cluster"


def test_leaving_asks_when_a_query_is_not_over(screen: Screen) -> None:
    with pytest.raises(urwid.ExitMainLoop):
        screen.keys("ctrl q")
    screen.server.held = True
    screen.run("select * from lineitem")
    assert "Not saved: query 1" in screen.keys("ctrl q")
    screen.keys("esc")
    screen.keys("ctrl a", "backspace")
    assert "1 query not over" in screen.keys("ctrl q")
    with pytest.raises(urwid.ExitMainLoop):
        screen.keys("enter")
    assert screen.server.killed == ["q1"]


def test_that_tabs_cannot_be_kept_is_told_once_and_the_keys_are_in_sight_again(tmp_path: Path) -> None:
    tabs = SavedTabs(tmp_path / "state")
    screen = Screen(tmp_path, tabs=tabs)
    screen.type("select 1")
    (tmp_path / "state" / "tabs.json").mkdir()
    screen.app.keep_tabs()
    assert "cannot save" in screen.text().splitlines()[-1]
    screen.app.footer.say("something else")
    screen.app.keep_tabs()
    assert "something else" in screen.text().splitlines()[-1]
    (tmp_path / "state" / "tabs.json").rmdir()
    screen.app.keep_tabs()
    assert "select 1" in (tmp_path / "state" / "tabs.json").read_text()
    tabs.close()


def test_tabs_come_back_at_the_next_start_and_a_file_comes_in_front(tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("select 1 as one;\n")
    tabs = SavedTabs(tmp_path / "state")
    screen = Screen(tmp_path, tabs=tabs)
    screen.type("select 7 as seven")
    screen.app.keep_tabs()
    tabs.close()
    again = SavedTabs(tmp_path / "state")
    screen = Screen(tmp_path, tabs=again)
    assert "select 7 as seven" in screen.text()
    assert "seven" in screen.keys("f5").splitlines()[13]
    with pytest.raises(urwid.ExitMainLoop):
        screen.keys("ctrl q", "enter")
    again.close()
    last = SavedTabs(tmp_path / "state")
    screen = Screen(tmp_path, files=(str(file),), tabs=last)
    assert "○ 1 waiting" in screen.text()
    assert "query 1 ●  report.sql" in screen.keys("f2")
    last.close()


def test_tabs_that_cannot_be_kept_are_told(tmp_path: Path) -> None:
    tabs = SavedTabs(tmp_path / "state")
    screen = Screen(tmp_path, tabs=tabs)
    (tmp_path / "state" / "tabs.json").mkdir()
    screen.type("select 1")
    screen.app.keep_tabs()
    assert "cannot save" in screen.text()
    assert "cannot save" in screen.keys("ctrl q", "enter")
    tabs.close()


@pytest.mark.parametrize("way", [("f7",), ("f7", "2"), ("f7", "3"), ("f4",), ("f6",), ("f6", "tab")])
def test_the_statement_of_the_editor_runs_from_every_pane(screen: Screen, way: tuple[str, ...]) -> None:
    screen.run("select 1 as one")
    screen.keys(*way, "f5")
    assert [run.sql for run in screen.app.book.runs] == ["select 1 as one"] * 2
    assert screen.app.views.name == "editor"
    assert screen.app.views.editor_panel.run is screen.app.book.runs[1]


@pytest.mark.parametrize("way", [("f3",), ("f3", "enter")])
def test_in_the_list_of_queries_the_current_one_runs_again(screen: Screen, way: tuple[str, ...]) -> None:
    screen.run("select 1 as one")
    screen.keys("ctrl a", *"select 2")
    screen.keys(*way, "f5")
    assert [run.sql for run in screen.app.book.runs] == ["select 1 as one"] * 2
    assert screen.app.views.name == "queries"


WAYS_OVER_A_RUN = {"results": ("f7",), "plan": ("f7", "2"), "chart": ("f7", "3"), "queries": ("f3",), "cluster": ("f4",)}
WAYS = WAYS_OVER_A_RUN | {"catalog": ("f6",), "tables": ("meta c",)}


@pytest.mark.parametrize(("context", "key"), [(key.context, name) for key in KEYS for name in key.keys])
def test_every_key_of_the_tables_is_somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str, key: str) -> None:
    unknown: list[str] = []
    act = App.act

    def watched(app: App, action: str) -> None:
        if action not in app._actions[app.views.context()] and action != "changed":
            unknown.append(action)
        act(app, action)

    monkeypatch.setattr(App, "act", watched)
    monkeypatch.setattr(App, "_unhandled", lambda _app, key: unknown.append(key))
    screen = Screen(tmp_path, size=WIDE_SIZE)
    if context in WAYS_OVER_A_RUN:
        screen.run("select 1")
        screen.app.session.look()
    screen.text()
    screen.keys(*WAYS.get(context, ()))
    assert screen.app.views.context() == ("editor" if context == "everywhere" else context)
    with contextlib.suppress(urwid.ExitMainLoop):
        screen.keys(key)
    assert unknown == []


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10)])
def test_every_view_can_be_drawn_in_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    screen = Screen(tmp_path, size=size)
    screen.run("select * from lineitem")
    for key in ("f3", "f4", "f6", "f1", "esc", "f2", "esc", "2", "3", "4", "1", "z", "z", "f9"):
        lines = screen.keys(key).splitlines()
        assert len(lines) <= size[1]


@pytest.mark.parametrize(("theme", "message"), [("pink", "no theme 'pink'"), (None, "needs a terminal")])
def test_what_cannot_be_opened_says_why(theme: str | None, message: str) -> None:
    with pytest.raises(CannotOpen, match=message):
        main("grpc://127.0.0.1:1", theme=theme)


def test_more_room_for_the_results_and_zoom(screen: Screen) -> None:
    screen.run("select * from lineitem")
    rows = screen.text().count(" AIR ") + screen.text().count(" RAIL ")
    screen.keys("meta up")
    assert screen.text().count(" AIR ") + screen.text().count(" RAIL ") > rows
    screen.keys("esc", "z")
    assert "select * from lineitem" not in screen.text()
    screen.keys("esc")
    assert "select * from lineitem" in screen.text()


def test_what_is_cut_in_one_tab_can_be_pasted_in_another(screen: Screen) -> None:
    screen.type("select 1")
    screen.keys("home", "ctrl k", "ctrl t", "ctrl v")
    assert screen.app.documents.current.editor.buffer.text == "select 1"
    assert screen.app.documents.current.number == 2


def test_what_is_pasted_where_nothing_is_written_presses_no_keys(screen: Screen) -> None:
    screen.run("select 1 as one")
    screen.keys("f7", "begin paste", *"ssf", "enter", "end paste")
    assert screen.app.dialogs.depth == 0
    assert len(screen.app.book.runs) == 1
    screen.keys("s")
    assert len(screen.app.book.runs) == 2
