"""What the keys do that hold everywhere: help, other views, the theme, leaving."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap

import urwid

from planner.errors import VolleyError
from tui import keys
from tui.actions.killing import Killing
from tui.draw.amounts import plural
from tui.draw.canvas import Line, fit
from tui.draw.chrome import VIEWS, Say
from tui.draw.popup import Choice, Dialogs
from tui.draw.themes import palette
from tui.editor.documents import Document, Documents, changed_elsewhere
from tui.editor.saved_tabs import SavedTabs
from tui.editor.text_files import FileError
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.panes.views import Views

HELP_COLUMNS = 56  # of what a key does, so that the list fits 80


@dataclass
class ScreenActions:
    """Acts on the screen and on the program as a whole. ``theme`` is the one that is shown."""

    views: Views
    book: RunBook
    killing: Killing
    dialogs: Dialogs
    screen: urwid.BaseScreen
    theme: str
    documents: Documents
    tabs: SavedTabs
    say: Say

    def table(self) -> keys.Actions:
        views = {f"view {name}": lambda name=name: self.views.go(name) for name, _key, _label in VIEWS}
        return views | {
            "help": self._help,
            "tables": self.views.go_to_tables,
            "quit": self._quit,
            "kill": self._kill,
            "theme": self._other_theme,
            "redraw": self.screen.clear,
            "zoom": self._zoom,
            "leave": self.views.leave,
            "back": self.views.back,
        }

    def _help(self) -> None:
        """All keys, those of where one is first."""
        here = self.views.context()
        lines: list[Line] = []
        for name in sorted(keys.TITLES, key=lambda item: (item != here, item != "everywhere")):
            lines.append([("dialog.title", keys.TITLES[name])])
            for key in (key for key in keys.KEYS if key.context == name):
                for label, text in zip([key.label, *[""] * len(key.text)], wrap(key.text, HELP_COLUMNS), strict=False):
                    lines.append([("footer.key", f" {fit(label, 10)}"), ("dialog", f" {text}")])
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

    # -- leaving the program --------------------------------------------------------------------------------------

    def _quit(self) -> None:
        """Leaves; asks first what shall become of texts that are not saved, then of queries that are not over."""
        unsaved = self.documents.unsaved()
        if not unsaved:
            self._quit_queries()
            return
        choices = [Choice("leave; they come back at the next start", "", "keep")] if self.tabs.keeps else []
        if any(document.path is not None for document in unsaved):
            choices.append(Choice("save the files and leave", "", "save"))
        choices += [Choice("stay", "", "stay"), Choice("leave and throw the changes away", "", "forget")]
        names = ", ".join(document.name for document in unsaved)
        self.dialogs.choose(f"Not saved: {names}", choices, lambda choice: self._quit_tabs(choice, unsaved), footer="Enter")

    def _quit_tabs(self, choice: Choice, unsaved: Sequence[Document]) -> None:
        match choice.value:
            case "keep":
                self._unless_refused(lambda: self.tabs.keep(self.documents))
            case "save":
                self._unless_refused(lambda: self._save(unsaved))
            case "forget":
                self.documents.forget_changes()
                self._quit_queries()

    def _save(self, unsaved: Sequence[Document]) -> None:
        """Saves those that have a file; the others must come back at the next start, or one stays."""
        for document in unsaved:
            if changed_elsewhere(document) is not None:
                raise FileError(f"{document.path} was changed elsewhere since", remedy="Ctrl-S in its tab asks before it writes over it")
        for document in unsaved:
            if document.path is not None:
                self.documents.save(document=document)
        self.tabs.keep(self.documents)
        if self.documents.unsaved() and not self.tabs.keeps:
            raise FileError("texts without a file are not saved", remedy="Ctrl-S in each of these tabs says where to")

    def _unless_refused(self, act: Callable[[], None]) -> None:
        """Leaves when ``act`` is done; what cannot be written is told, and one stays."""
        try:
            act()
        except VolleyError as error:
            self.say(str(error), "bad")
        else:
            self._quit_queries()

    def _quit_queries(self) -> None:
        active = self.book.active()
        if not active:
            raise urwid.ExitMainLoop
        choices = [
            Choice("kill them and leave", "", "kill"),
            Choice("leave; they go on at the server until there are rows to look at", "", "leave"),
            Choice("stay", "", "stay"),
        ]
        self.dialogs.choose(f"{plural(len(active), 'query')} not over", choices, self._quit_as, footer="Enter")

    def _quit_as(self, choice: Choice) -> None:
        match choice.value:
            case "kill":
                self.say("killing them, then leaving …")
                self._kill_and_leave(self.book.active())
            case "leave":
                _exit()

    def _kill_and_leave(self, runs: Sequence[Run]) -> None:
        """Leaves when the server has answered for each, whatever it said; one that is being submitted is killed as soon as it can be."""
        left = set(runs)
        if not left:
            _exit()

        def told(run: Run) -> None:
            left.discard(run)
            if not left:
                _exit()

        # The last first: those that wait for their turn must not get it when one before them ends.
        for run in reversed(runs):
            self.book.kill(run, functools.partial(told, run))


def _exit() -> None:
    raise urwid.ExitMainLoop
