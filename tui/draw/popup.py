"""Dialogs: a text to read, a question, a line to type, a list to choose from. All sit on the screen's overlay stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import urwid

from tui.draw.canvas import Line, cut, draw, fit, width
from tui.draw.pasting import Pasted

Completer = Callable[[str, int], Sequence[tuple[str, int]]]
"""Replacements for a text with the caret at a position, each with its own caret."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of a list: what is shown, what is shown beside it, and what stands for it."""

    text: str
    detail: str
    value: str


class TextView(urwid.Widget):
    """Lines to read and scroll, up and down and sideways."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__()
        self.lines = list(lines)
        self.top = 0
        self.left = 0

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        self.top = max(0, min(self.top, len(self.lines) - rows))
        return draw([_shift(line, self.left) for line in self.lines[self.top : self.top + rows]], columns, rows)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        page = max(1, size[1] - 1)
        vertical = {"up": -1, "down": 1, "page up": -page, "page down": page, " ": page, "home": -len(self.lines), "end": len(self.lines)}
        if key in vertical:
            self.top = max(0, self.top + vertical[key])
        elif key in ("left", "right"):
            self.left = max(0, self.left + (8 if key == "right" else -8))
        else:
            return key
        self._invalidate()
        return None

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event == "mouse press" and button in (4, 5):
            self.keypress(size, "up" if button == 4 else "down")
            return True
        return False


class ChoiceList(urwid.Widget):
    """A list with a line to type above it, which narrows the list. What is pasted narrows it, too, and chooses nothing."""

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(self, choices: Sequence[Choice], chosen: Callable[[Choice], None]) -> None:
        super().__init__()
        self._choices = choices
        self._chosen = chosen
        self.typed = ""
        self.here = 0
        self._top = 0
        self._pasted: list[str] | None = None

    def matching(self) -> list[Choice]:
        words = self.typed.lower().split()
        return [choice for choice in self._choices if all(word in choice.text.lower() for word in words)]

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:
        columns, rows = size
        found = self.matching()
        self.here = max(0, min(self.here, len(found) - 1))
        room = max(1, rows - 1)
        self._top = max(0, min(self._top, self.here), self.here - room + 1)
        lines: list[Line] = [[("dialog.field", fit(f" › {self.typed}", columns))]]
        for number, choice in enumerate(found[self._top : self._top + room], self._top):
            attribute = "dialog.here" if number == self.here else "dialog"
            detail = cut(choice.detail, columns // 2)
            lines.append([(attribute, fit(f" {choice.text}", columns - len(detail) - 3)), (attribute, f"  {detail} ")])
        if not found:
            lines.append([("dialog", " nothing found")])
        return draw(lines, columns, rows, cursor=(min(columns - 1, 3 + width(self.typed)), 0) if focus else None)

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        if self._pasted is not None or key == "begin paste":
            self._take_paste(key)
            return None
        found = self.matching()
        page = max(1, size[1] - 2)
        moves = {"up": -1, "down": 1, "page up": -page, "page down": page, "ctrl r": 1}
        if key in moves:
            self.here += moves[key]
        elif key == "enter" and found:
            self._chosen(found[self.here])
        elif key == "backspace":
            self.typed = self.typed[:-1]
        elif key == "ctrl w":
            self.typed = self.typed.rstrip().rpartition(" ")[0]
            self.typed += " " if self.typed else ""
        elif key == "ctrl u":
            self.typed = ""
        elif len(key) == 1 and key.isprintable():
            self.typed += key
            self.here = 0
        else:
            return key
        self._invalidate()
        return None

    def _take_paste(self, key: str) -> None:
        pasted = [] if self._pasted is None else self._pasted
        if key == "end paste":
            self.typed += " ".join("".join(pasted).split())
            self.here, self._pasted = 0, None
            self._invalidate()
        else:
            self._pasted = [*pasted, _pasted(key)]

    def mouse_event(self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool) -> bool:
        if event != "mouse press":
            return False
        if button in (4, 5):
            self.here += -1 if button == 4 else 1
        elif button == 1 and 0 < row <= len(self.matching()):
            self.here = self._top + row - 1
            self._chosen(self.matching()[min(self.here, len(self.matching()) - 1)])
        self._invalidate()
        return True


class Dialogs(urwid.OverlayStack):
    """The overlay stack of the screen, with ready-made dialogs. Esc and a click outside close the top one."""

    def __init__(self, base: urwid.Widget) -> None:
        super().__init__(base, close_on_menu=True, close_on_click_outside=True)
        self._dropping = False

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        """What is pasted where nobody writes presses no keys."""
        if self._dropping:
            self._dropping = key != "end paste"
            return None
        rest = super().keypress(size, key)
        if key == "begin paste" and rest is not None:
            self._dropping = True
            return None
        return None if rest is None else str(rest)

    def show_text(self, title: str, lines: Sequence[Line], *, footer: str = "Esc closes") -> None:
        """A text to read."""
        widest = max((sum(len(text) for _, text in line) for line in lines), default=0)
        self._open(TextView(lines), title, footer, widest + 4, len(lines) + 2)

    def show_widget(self, title: str, widget: urwid.Widget) -> None:
        """A box widget to look at."""
        self._open(widget, title, "Esc closes", 200, 200)

    def choose(self, title: str, choices: Sequence[Choice], chosen: Callable[[Choice], None], *, footer: str) -> None:
        """A list to choose from; typing narrows it."""

        def take(choice: Choice) -> None:
            self.close()
            chosen(choice)

        self._open(ChoiceList(choices, take), title, footer, 100, len(choices) + 3)

    def ask(self, title: str, question: str, yes: Callable[[], None], *, answer: str = "yes") -> None:
        """A question with yes and no."""
        body = urwid.Text(question)

        def answered(_button: urwid.Button, agreed: bool) -> None:
            self.close()
            if agreed:
                yes()

        buttons = [
            urwid.AttrMap(urwid.Button(answer, answered, True), "dialog", "dialog.here"),
            urwid.AttrMap(urwid.Button("no", answered, False), "dialog", "dialog.here"),
        ]
        row = urwid.Columns([(urwid.GIVEN, len(answer) + 4, buttons[0]), (urwid.GIVEN, 6, buttons[1])], dividechars=2, focus_column=0)
        pile = _Question([("pack", body), ("pack", urwid.Divider()), ("pack", row)], yes=lambda: answered(buttons[0], True))
        columns = min(76, max(30, max(len(line) for line in question.splitlines()) + 6))
        self._open_flow(pile, title, columns)

    def prompt(
        self,
        title: str,
        label: str,
        text: str,
        entered: Callable[[str], None],
        *,
        hint: str = "",
        completer: Completer | None = None,
    ) -> None:
        """One line to type, edited as a shell's is; Enter takes it, Tab completes it where there is a ``completer``."""
        edit = _Field(label, text, completer)

        def take(_edit: urwid.Edit, typed: str) -> None:
            self.close()
            entered(typed)

        urwid.connect_signal(edit, "submit", take)
        rows = [("pack", urwid.AttrMap(edit, "dialog.field"))]
        if hint:
            rows.append(("pack", urwid.AttrMap(urwid.Text(hint), "popup.dim")))
        self._open_flow(urwid.Pile(rows), title, 76)

    def _open_flow(self, widget: urwid.Widget, title: str, columns: int) -> None:
        self.open(_framed(widget, title, ""), width=columns, height="pack")

    def _open(self, widget: urwid.Widget, title: str, footer: str, columns: int, rows: int) -> None:
        self.open(
            _framed(widget, title, footer),
            width=("relative", 90) if columns > 100 else max(44, columns + 2),
            height=("relative", 80) if rows > 24 else max(5, rows),
        )


def _readline_commands() -> urwid.CommandMap:
    commands = urwid.CommandMap()
    commands.bind_readline()
    return commands


class _Field(urwid.Edit):
    """A line with the keys of readline. What is pasted goes in as one line, and takes nothing by a line end of its own."""

    _command_map = _readline_commands()

    def __init__(self, label: str, text: str, completer: Completer | None) -> None:
        super().__init__(label, text, undo_limit=100, text_completer=completer, kill_buffer=[])
        self._pasted: list[str] | None = None

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        if key == "begin paste":
            self._pasted = []
        elif key == "end paste":
            pasted, self._pasted = "".join(self._pasted or []), None
            self.insert_text(" ".join(pasted.split("\n")).strip())
        elif self._pasted is not None:
            self._pasted.append(_pasted(key))
        else:
            found = super().keypress(size, key)
            return None if found is None else str(found)
        return None


def _pasted(key: str) -> str:
    """The text of a key that came while something was pasted."""
    if isinstance(key, Pasted) or len(key) == 1:
        return key
    return "" if key == "begin paste" else "\n" if key == "enter" else " "


class _Question(urwid.Pile):
    """Takes ``y`` and ``n`` beside the buttons."""

    def __init__(self, widgets: Sequence[tuple[str, urwid.Widget]], yes: Callable[[], None]) -> None:
        super().__init__(widgets)
        self._yes = yes

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        if key in ("y", "Y"):
            self._yes()
            return None
        if key in ("n", "N"):
            return "esc"
        found = super().keypress(size, key)
        return None if found is None else str(found)


def _framed(widget: urwid.Widget, title: str, footer: str) -> urwid.Widget:
    box = urwid.LineBox(
        urwid.AttrMap(urwid.Padding(widget, left=1, right=1), "dialog"),
        title=f"{title} — {footer}" if footer else title,
        title_attr="dialog.title",
        title_align="left",
    )
    return urwid.AttrMap(box, {None: "dialog.frame"})


def _shift(line: Line, columns: int) -> Line:
    """``line`` without its first ``columns`` characters."""
    shifted = []
    for attribute, text in line:
        shifted.append((attribute, text[columns:]))
        columns = max(0, columns - len(text))
    return shifted
