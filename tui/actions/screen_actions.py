"""What the keys do that hold everywhere: help, other views, the theme, leaving."""

from __future__ import annotations

from dataclasses import dataclass

import urwid

from tui import keys
from tui.actions.killing import Killing
from tui.draw.amounts import plural
from tui.draw.canvas import Line, fit
from tui.draw.chrome import VIEWS
from tui.draw.popup import Choice, Dialogs
from tui.draw.themes import palette
from tui.link.background import Background
from tui.link.runs import RunBook
from tui.link.server import Server
from tui.panes.views import Views


@dataclass
class ScreenActions:
    """Acts on the screen and on the program as a whole. ``theme`` is the one that is shown."""

    views: Views
    book: RunBook
    server: Server
    background: Background
    killing: Killing
    dialogs: Dialogs
    screen: urwid.BaseScreen
    theme: str

    def table(self) -> keys.Actions:
        views = {f"view {name}": lambda name=name: self.views.go(name) for name, _key, _label in VIEWS}
        return views | {
            "help": self._help,
            "quit": self._quit,
            "kill": self._kill,
            "theme": self._other_theme,
            "redraw": self.screen.clear,
            "zoom": self._zoom,
            "leave": self._leave_widget,
        }

    def _help(self) -> None:
        """All keys, those of where one is first."""
        here = self.views.context()
        lines: list[Line] = []
        for name in sorted(keys.TITLES, key=lambda item: (item != here, item != "everywhere")):
            lines.append([("dialog.title", keys.TITLES[name])])
            lines += [[("footer.key", f" {fit(k.label, 10)}"), ("dialog", f" {k.text}")] for k in keys.KEYS if k.context == name]
            lines.append([("dialog", "")])
        self.dialogs.show_text("Keys", lines)

    def _kill(self) -> None:
        """Kills what is shown: the query of the server in the cluster view, else the run of the panel."""
        if self.views.name == "cluster":
            self.killing.query(self.views.cluster.query)
        else:
            self.killing.run(self.views.panel.run)

    def _other_theme(self) -> None:
        self.theme = "light" if self.theme == "dark" else "dark"
        self.screen.register_palette(palette(self.theme))
        self.screen.clear()

    def _zoom(self) -> None:
        if self.views.split is not None:
            self.views.split.zoom()

    def _leave_widget(self) -> None:
        if self.views.split is not None:
            self.views.split.go(lower=not self.views.split.in_lower)

    # -- leaving the program --------------------------------------------------------------------------------------

    def _quit(self) -> None:
        """Leaves; asks first what shall become of queries that are not over."""
        active = self.book.active()
        if not active:
            raise urwid.ExitMainLoop
        choices = [
            Choice("kill them and leave", "", "kill"),
            Choice("leave; they go on at the server", "", "leave"),
            Choice("stay", "", "stay"),
        ]
        self.dialogs.choose(f"{plural(len(active), 'query')} not over", choices, self._quit_as, footer="Enter")

    def _quit_as(self, choice: Choice) -> None:
        match choice.value:
            case "kill":
                killed = [run.query_id for run in self.book.active() if run.query_id is not None]
                self.background.submit(
                    lambda: [self.server.kill(query_id) for query_id in killed], lambda _done: _exit(), lambda _error: _exit()
                )
            case "leave":
                _exit()


def _exit() -> None:
    raise urwid.ExitMainLoop
