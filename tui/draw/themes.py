"""The colours: dark and light, each with 256 colours, 16 colours and none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

Entry = tuple[str, str, str, str, str, str]


class Look(NamedTuple):
    """How something is drawn: with 16 colours, with none, with 256."""

    foreground: str
    background: str
    mono: str
    foreground_high: str
    background_high: str


def _look(foreground: str, high: str, *, back: str = "default", back_high: str = "default", mono: str = "default") -> Look:
    return Look(foreground, back, mono, high, back_high)


_DARK: dict[str, Look] = {
    "text": _look("default", "default"),
    "dim": _look("light gray", "h244"),
    "strong": _look("white,bold", "h255,bold", mono="bold"),
    "title": _look("white,bold", "h255,bold", back="dark blue", back_high="h24", mono="standout,bold"),
    "title.dim": _look("light gray", "h152", back="dark blue", back_high="h24", mono="standout"),
    "title.tab": _look("light gray", "h152", back="dark blue", back_high="h24", mono="standout"),
    "title.tab.on": _look("black", "h16,bold", back="light cyan", back_high="h117", mono="bold,underline"),
    "link.up": _look("white", "h120", back="dark blue", back_high="h24", mono="standout"),
    "link.lost": _look("white,bold", "h231,bold", back="dark red", back_high="h160", mono="standout,bold"),
    "footer": _look("light gray", "h250", back="black", back_high="h236", mono="standout"),
    "footer.key": _look("light cyan", "h117,bold", back="black", back_high="h236", mono="standout,bold"),
    "tab": _look("light gray", "h246", back="black", back_high="h236"),
    "tab.on": _look("white,bold", "h255,bold", back="dark gray", back_high="h240", mono="bold,underline"),
    "tab.on.focus": _look("black", "h16,bold", back="light cyan", back_high="h117", mono="standout"),
    "rule": _look("dark cyan", "h240"),
    "gutter": _look("dark cyan", "h240"),
    "gutter.here": _look("yellow", "h221"),
    "gutter.error": _look("light red,bold", "h203,bold", mono="bold"),
    "sql.keyword": _look("light blue,bold", "h75,bold", mono="bold"),
    "sql.function": _look("light cyan", "h116"),
    "sql.string": _look("light green", "h114"),
    "sql.number": _look("light magenta", "h176"),
    "sql.comment": _look("dark cyan", "h244,italics"),
    "sql.identifier": _look("yellow", "h222"),
    "sql.operator": _look("light gray", "h250"),
    "selection": _look("black", "h255", back="light gray", back_high="h238", mono="standout"),
    "error.mark": _look("white,bold", "h231,bold", back="dark red", back_high="h124", mono="standout,underline"),
    "error": _look("light red", "h203", mono="bold"),
    "warn": _look("yellow", "h221", mono="bold"),
    "ok": _look("light green", "h114"),
    "running": _look("light cyan", "h117", mono="bold"),
    "waiting": _look("light gray", "h244"),
    "header": _look("white,bold", "h255,bold", back="black", back_high="h236", mono="bold,underline"),
    "header.here": _look("light cyan,bold", "h117,bold", back="black", back_high="h236", mono="bold,underline,standout"),
    "header.bad": _look("light red,bold", "h203,bold", back="black", back_high="h236", mono="bold,underline"),
    "header.type": _look("light gray", "h244", back="black", back_high="h236", mono="underline"),
    "cell": _look("default", "default"),
    "cell.number": _look("default", "h152"),
    "cell.null": _look("dark cyan", "h240,italics", mono="underline"),
    "cell.loading": _look("dark cyan", "h238"),
    "row": _look("default", "default", back="black", back_high="h237", mono="bold"),
    "row.number": _look("default", "h152", back="black", back_high="h237", mono="bold"),
    "row.null": _look("dark cyan", "h243,italics", back="black", back_high="h237", mono="bold,underline"),
    "here": _look("black", "h16", back="light cyan", back_high="h117", mono="standout"),
    "here.null": _look("dark gray", "h240,italics", back="light cyan", back_high="h117", mono="standout,underline"),
    "found": _look("black", "h16", back="yellow", back_high="h221", mono="bold,underline"),
    "chart": _look("light cyan", "h74"),
    "chart.here": _look("yellow", "h221"),
    "axis": _look("light gray", "h244"),
    "bar": _look("light cyan", "h74", mono="bold"),
    "bar.hot": _look("yellow", "h214", mono="bold,standout"),
    "list.here": _look("black", "h16", back="light cyan", back_high="h117", mono="standout"),
    "list.away": _look("default", "default", back="black", back_high="h237", mono="underline"),
    "dialog": _look("default", "h252", back="black", back_high="h235", mono="default"),
    "dialog.frame": _look("light cyan", "h74", back="black", back_high="h235", mono="bold"),
    "dialog.title": _look("white,bold", "h255,bold", back="black", back_high="h235", mono="bold"),
    "dialog.field": _look("white", "h255", back="dark gray", back_high="h239", mono="underline"),
    "dialog.here": _look("black", "h16", back="light cyan", back_high="h117", mono="standout"),
    "popup": _look("default", "h252", back="dark gray", back_high="h238", mono="standout"),
    "popup.dim": _look("light gray", "h246", back="dark gray", back_high="h238", mono="standout"),
    "popup.here": _look("black", "h16", back="light cyan", back_high="h117", mono="default"),
    "toast.ok": _look("black", "h16", back="light green", back_high="h114", mono="standout"),
    "toast.bad": _look("white,bold", "h231,bold", back="dark red", back_high="h160", mono="standout,bold"),
}

_LIGHT_CHANGES: dict[str, Look] = {
    "dim": _look("dark gray", "h244"),
    "strong": _look("black,bold", "h16,bold", mono="bold"),
    "title.tab.on": _look("black", "h16,bold", back="white", back_high="h231", mono="bold,underline"),
    "footer": _look("black", "h236", back="light gray", back_high="h253", mono="standout"),
    "footer.key": _look("dark blue", "h25,bold", back="light gray", back_high="h253", mono="standout,bold"),
    "tab": _look("dark gray", "h240", back="light gray", back_high="h253"),
    "tab.on": _look("black,bold", "h16,bold", back="white", back_high="h250", mono="bold,underline"),
    "tab.on.focus": _look("white,bold", "h231,bold", back="dark blue", back_high="h25", mono="standout"),
    "rule": _look("light gray", "h250"),
    "gutter": _look("dark gray", "h248"),
    "gutter.here": _look("brown", "h130"),
    "gutter.error": _look("dark red,bold", "h160,bold", mono="bold"),
    "sql.keyword": _look("dark blue,bold", "h25,bold", mono="bold"),
    "sql.function": _look("dark cyan", "h30"),
    "sql.string": _look("dark green", "h28"),
    "sql.number": _look("dark magenta", "h90"),
    "sql.comment": _look("dark gray", "h245,italics"),
    "sql.identifier": _look("brown", "h94"),
    "sql.operator": _look("black", "h238"),
    "selection": _look("black", "h16", back="light gray", back_high="h252", mono="standout"),
    "error": _look("dark red", "h160", mono="bold"),
    "warn": _look("brown", "h130", mono="bold"),
    "ok": _look("dark green", "h28"),
    "running": _look("dark blue", "h25", mono="bold"),
    "header": _look("black,bold", "h16,bold", back="light gray", back_high="h253", mono="bold,underline"),
    "header.here": _look("dark blue,bold", "h25,bold", back="light gray", back_high="h253", mono="bold,underline,standout"),
    "header.bad": _look("dark red,bold", "h160,bold", back="light gray", back_high="h253", mono="bold,underline"),
    "header.type": _look("dark gray", "h242", back="light gray", back_high="h253", mono="underline"),
    "cell.number": _look("default", "h24"),
    "cell.null": _look("dark gray", "h249,italics", mono="underline"),
    "cell.loading": _look("light gray", "h252"),
    "row": _look("black", "h16", back="light gray", back_high="h254", mono="bold"),
    "row.number": _look("black", "h24", back="light gray", back_high="h254", mono="bold"),
    "row.null": _look("dark gray", "h246,italics", back="light gray", back_high="h254", mono="bold,underline"),
    "here": _look("white", "h231", back="dark blue", back_high="h25", mono="standout"),
    "here.null": _look("light gray", "h252,italics", back="dark blue", back_high="h25", mono="standout,underline"),
    "chart": _look("dark blue", "h31"),
    "bar": _look("dark blue", "h31", mono="bold"),
    "bar.hot": _look("dark red", "h166", mono="bold,standout"),
    "list.here": _look("white", "h231", back="dark blue", back_high="h25", mono="standout"),
    "list.away": _look("black", "h16", back="light gray", back_high="h254", mono="underline"),
    "dialog": _look("black", "h16", back="light gray", back_high="h255", mono="default"),
    "dialog.frame": _look("dark blue", "h25", back="light gray", back_high="h255", mono="bold"),
    "dialog.title": _look("black,bold", "h16,bold", back="light gray", back_high="h255", mono="bold"),
    "dialog.field": _look("black", "h16", back="white", back_high="h251", mono="underline"),
    "dialog.here": _look("white", "h231", back="dark blue", back_high="h25", mono="standout"),
    "popup": _look("black", "h16", back="light gray", back_high="h253", mono="standout"),
    "popup.dim": _look("dark gray", "h244", back="light gray", back_high="h253", mono="standout"),
    "popup.here": _look("white", "h231", back="dark blue", back_high="h25", mono="default"),
    "toast.ok": _look("white", "h231", back="dark green", back_high="h28", mono="standout"),
}

# What is shown in the line of a run's tabs, on its background.
_IN_HEAD = ("ok", "running", "waiting", "error", "warn", "text")


def _with_heads(looks: dict[str, Look]) -> dict[str, Look]:
    back = looks["tab"]
    heads = {f"head.{name}": looks[name]._replace(background=back.background, background_high=back.background_high) for name in _IN_HEAD}
    return {**looks, **heads}


THEMES: Mapping[str, dict[str, Look]] = {"dark": _with_heads(_DARK), "light": _with_heads({**_DARK, **_LIGHT_CHANGES})}


NAMES = ("dark", "light", "16", "mono")  # what a user can ask for: the last two are about the number of colours


def palette(theme: str) -> list[Entry]:
    """The palette of ``theme`` (``dark`` or ``light``) for :class:`urwid.MainLoop`."""
    return [(name, *look) for name, look in THEMES[theme].items()]


def choose_theme(wanted: str | None, environment: Mapping[str, str]) -> str:
    """``wanted`` where given; else what the terminal's background, told by ``COLORFGBG``, asks for; else dark."""
    if wanted in THEMES:
        return str(wanted)
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if background in ("7", "15") else "dark"


def count_colours(wanted: str | None, environment: Mapping[str, str] = os.environ) -> int:
    """How many colours to draw with: 1, 16 or 256. ``NO_COLOR`` and the theme ``mono`` mean none."""
    term = environment.get("TERM", "")
    if wanted == "mono" or environment.get("NO_COLOR") or term in ("", "dumb") or term.startswith("vt"):
        return 1
    if wanted == "16":
        return 16
    if "256color" in term or "direct" in term or environment.get("COLORTERM"):
        return 256
    return 16
