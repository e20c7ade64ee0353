"""All keys of the program, in one table: what they do, the line at the bottom, the help and the documentation come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Actions = Mapping[str, Callable[[], None]]
"""What to do for each action of a context."""

TITLES = {
    "everywhere": "Everywhere",
    "editor": "Editor",
    "tables": "Tables beside the editor",
    "results": "Results",
    "plan": "Plan",
    "chart": "Chart",
    "queries": "Queries",
    "cluster": "Cluster",
    "catalog": "Catalog",
}


@dataclass(frozen=True, slots=True)
class Key:
    """Keys that do the same: ``keys`` as urwid names them, ``label`` as people do.

    ``short`` is the word in the line at the bottom, empty for keys that only the help shows.
    """

    context: str
    keys: tuple[str, ...]
    label: str
    action: str
    short: str
    text: str


def _key(context: str, keys: str, label: str, action: str, short: str, text: str) -> Key:
    return Key(context, tuple(keys.split("|")), label, action, short, text)


KEYS: tuple[Key, ...] = (
    _key("everywhere", "f1", "F1", "help", "", "this help (also ? outside the editor)"),
    _key("everywhere", "f2", "F2", "view editor", "", "the editor and its results"),
    _key("everywhere", "f3", "F3", "view queries", "", "the queries of this sitting"),
    _key("everywhere", "f4", "F4", "view cluster", "", "workers and what runs on the server"),
    _key("everywhere", "f6", "F6", "view catalog", "", "tables, columns and sample rows"),
    _key("everywhere", "meta c", "Alt-C", "tables", "", "the tables beside the editor; F6 where there is no room for them"),
    _key("everywhere", "f8", "F8", "kill", "", "kill the query that is shown"),
    _key("everywhere", "f9", "F9", "theme", "", "dark or light"),
    _key("everywhere", "ctrl q", "Ctrl-Q", "quit", "quit", "leave; asks about texts that are not saved and queries that run"),
    _key("everywhere", "ctrl l", "Ctrl-L", "redraw", "", "draw the screen again"),
    _key("editor", "f5|meta enter|ctrl enter", "F5", "run", "run", "run the selection, or the statement under the cursor (also Alt-Enter)"),
    _key("editor", "meta r|shift f5", "Alt-R", "run all", "run all", "run all statements, one after another"),
    _key("editor", "meta t", "Alt-T", "run together", "", "run all statements together"),
    _key("editor", "meta x", "Alt-X", "explain", "", "EXPLAIN the statement under the cursor"),
    _key("editor", "tab|<0>|ctrl @", "Tab", "complete", "complete", "complete the word (also Ctrl-Space); indent where there is no word"),
    _key("editor", "esc|f7", "Esc", "leave", "results", "go to the results (also F7); back, if one came by E or q of another view"),
    _key("editor", "ctrl r", "Ctrl-R", "history", "history", "search the statements that were run before"),
    _key("editor", "ctrl o", "Ctrl-O", "open", "open", "open a file in a new tab"),
    _key("editor", "ctrl s", "Ctrl-S", "save", "save", "save the file"),
    _key("editor", "ctrl t", "Ctrl-T", "new tab", "", "a new tab"),
    _key("editor", "ctrl w", "Ctrl-W", "close tab", "", "close the tab"),
    _key("editor", "ctrl page down|meta .", "Ctrl-PgDn", "next tab", "", "the next tab (also Alt-.)"),
    _key("editor", "ctrl page up|meta ,", "Ctrl-PgUp", "previous tab", "", "the tab before (also Alt-,)"),
    _key("editor", "ctrl z", "Ctrl-Z", "undo", "", "undo"),
    _key("editor", "ctrl y", "Ctrl-Y", "redo", "", "redo"),
    _key("editor", "ctrl c", "Ctrl-C", "copy", "", "copy the selection; with none, kill the running query"),
    _key("editor", "ctrl x", "Ctrl-X", "cut", "", "cut the selection, or the line"),
    _key("editor", "ctrl v", "Ctrl-V", "paste", "", "paste what was cut or copied here (the terminal's paste works too)"),
    _key("editor", "ctrl a", "Ctrl-A", "select all", "", "select everything (Shift with the arrows selects)"),
    _key("editor", "ctrl _|ctrl /|meta /", "Ctrl-/", "comment", "", "comment the line out or in (also Alt-/)"),
    _key("editor", "ctrl k", "Ctrl-K", "kill line", "", "cut to the end of the line"),
    _key("editor", "ctrl g", "Ctrl-G", "go to line", "", "go to a line"),
    _key("editor", "meta up|meta =", "Alt-↑", "smaller editor", "", "more room for the results"),
    _key("editor", "meta down|meta -", "Alt-↓", "larger editor", "", "more room for the editor"),
    _key("tables", "enter", "Enter", "insert", "insert", "put the name into the text, behind a comma where one was put just before"),
    _key("tables", "right", "→", "unfold", "columns", "show the columns of the table"),
    _key("tables", "left", "←", "fold", "", "take the columns away"),
    _key("tables", "f5", "F5", "run", "run", "run the statement of the editor"),
    _key("tables", "esc|f7", "Esc", "back", "back", "back to the text (also F7)"),
    _key("results", "f5", "F5", "run", "", "run the statement of the editor; in the list of queries, what F5 runs there"),
    _key("results", "enter", "Enter", "open cell", "value", "the value whole, and its row"),
    _key("results", "/", "/", "search", "search", "search in the rows that are loaded"),
    _key("results", "n", "n", "search next", "", "the next row found"),
    _key("results", "N", "N", "search previous", "", "the row found before"),
    _key("results", "s", "s", "sort", "sort", "sort by this column: up, down, not (a new query, unless its result is there already)"),
    _key("results", "f", "f", "filter", "filter", "keep rows for which a condition holds (a new query); an empty one is all rows"),
    _key("results", "h", "h", "chart", "chart", "a chart of this column"),
    _key("results", ":", ":", "go to row", "go to", "go to a row by its number"),
    _key("results", "#", "#", "go to column", "", "go to a column by its name"),
    _key("results", "g|ctrl home", "g", "first row", "", "the first row"),
    _key("results", "G|ctrl end", "G", "last row", "", "the last row; of what is held, all rows are made for it"),
    _key("results", "c|ctrl c", "c", "copy cell", "copy", "copy the value"),
    _key("results", "y", "y", "copy row", "", "copy the row, tab-separated with its column names"),
    _key("results", "e", "e", "export", "export", "write the whole result to a file: CSV, Parquet, JSON, Arrow, Markdown, HTML …"),
    _key("results", "D", "D", "drop", "", "drop the query: its rows go, at the server too; asks if it runs"),
    _key("results", "<|,", "<", "narrower", "", "make the column narrower"),
    _key("results", ">|.", ">", "wider", "", "make the column wider"),
    _key("results", "1", "1", "show results", "", "results"),
    _key("results", "2|p", "2", "show plan", "plan", "the live plan"),
    _key("results", "3", "3", "show chart", "", "chart"),
    _key("results", "4", "4", "show sql", "", "the statement and its error"),
    _key("results", "z", "z", "zoom", "", "results on the whole screen, and back"),
    _key("results", "esc|f7", "Esc", "leave", "back", "back up, to the editor or the list (also F7)"),
    _key("plan", "f5", "F5", "run", "", "run the statement of the editor; in the list of queries, what F5 runs there"),
    _key("plan", "enter", "Enter", "peek", "peek", "look at records that pass through this exchange now"),
    _key("plan", "1", "1", "show results", "results", "results"),
    _key("plan", "2", "2", "show plan", "", "plan"),
    _key("plan", "3", "3", "show chart", "chart", "chart"),
    _key("plan", "4", "4", "show sql", "", "the statement and its error"),
    _key("plan", "z", "z", "zoom", "", "the plan on the whole screen, and back"),
    _key("plan", "esc|f7", "Esc", "leave", "back", "back up, to the editor or the list (also F7)"),
    _key("chart", "f5", "F5", "run", "", "run the statement of the editor; in the list of queries, what F5 runs there"),
    _key("chart", "left|right", "← →", "column", "column", "another column"),
    _key(
        "chart",
        "a",
        "a",
        "whole chart",
        "all rows",
        "count over all rows of the result (a new query), where that has not been done by itself",
    ),
    _key("chart", "1", "1", "show results", "results", "results"),
    _key("chart", "2|p", "2", "show plan", "plan", "the live plan"),
    _key("chart", "3", "3", "show chart", "", "chart"),
    _key("chart", "4", "4", "show sql", "", "the statement and its error"),
    _key("chart", "z", "z", "zoom", "", "the chart on the whole screen, and back"),
    _key("chart", "esc|f7", "Esc", "leave", "back", "back up, to the editor or the list (also F7)"),
    _key("queries", "f5", "F5", "run", "run", "run what waits to be told, one after another; else this query again"),
    _key("queries", "enter|tab|right", "Enter", "open", "results", "go to the results of this query"),
    _key("queries", "k|delete", "k", "kill", "kill", "kill this query"),
    _key("queries", "d", "d", "drop", "drop", "drop this query: its rows go, at the server too; asks if it runs"),
    _key("queries", "t", "t", "together", "together", "start what waits now, several at a time"),
    _key("queries", "r", "r", "again", "again", "run it again"),
    _key("queries", "E", "E", "edit", "edit", "put the statement into the editor"),
    _key("queries", "K", "K", "kill all", "", "kill all that are not over"),
    _key("queries", "z", "z", "zoom", "", "the list on the whole screen, and back"),
    _key("queries", "esc", "Esc", "back", "", "back to the view before"),
    _key("cluster", "f5", "F5", "run", "", "run the statement of the editor"),
    _key("cluster", "enter", "Enter", "open", "open", "open the query: its results and plan"),
    _key("cluster", "k|delete", "k", "kill", "kill", "kill the query, after a question"),
    _key("cluster", "d", "d", "drop", "drop", "drop the query and its result, after a question"),
    _key("cluster", "m", "m", "more", "more", "list more queries, older ones"),
    _key("cluster", "a", "a", "everything", "all", "list what the program asks for itself, too: samples, counts for charts"),
    _key("cluster", "/", "/", "filter", "filter", "show queries that contain a text"),
    _key("cluster", "s", "s", "sort", "sort", "sort by the next column"),
    _key("cluster", "tab", "Tab", "switch", "workers", "between workers and queries"),
    _key("cluster", "esc", "Esc", "back", "", "back to the view before"),
    _key("catalog", "f5", "F5", "run", "", "run the statement of the editor"),
    _key("catalog", "enter|right", "Enter", "open", "columns", "show or hide the columns of a table"),
    _key("catalog", "i", "i", "insert", "insert", "put the name into the editor"),
    _key("catalog", "q", "q", "query", "query", "a SELECT of the table in the editor"),
    _key("catalog", "/", "/", "filter", "filter", "show tables whose name contains a text"),
    _key("catalog", "r", "r", "reload", "reload", "ask the server again"),
    _key("catalog", "tab", "Tab", "switch", "sample", "between the tables and the sample rows"),
    _key("catalog", "esc", "Esc", "back", "", "from the sample rows to the tables, from there back to the view before"),
)

_ACTIONS = {(key.context, name): key.action for key in KEYS for name in key.keys}


def action(context: str, key: str) -> str | None:
    """What ``key`` does in ``context``; None if nothing."""
    return _ACTIONS.get((context, key))


def footer(context: str) -> list[tuple[str, str]]:
    """The keys of the line at the bottom, with their words."""
    return [(key.label, key.short) for key in KEYS if key.context == context and key.short]


def markdown(contexts: Iterable[str] = TITLES) -> str:
    """The tables of keys for the documentation."""
    parts = []
    for context in contexts:
        rows = [f"| `{key.label}` | {key.text} |" for key in KEYS if key.context == context]
        parts.append("\n".join([f"### {TITLES[context]}", "", "| key | does |", "| --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"
