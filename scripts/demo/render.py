"""Draws an asciicast as a GIF and its moments as PNGs: a terminal emulator's screen, letter by letter from a font.

    render.py IN.cast SHOTS.json OUT.gif FOLDER_OF_PNGS

Lines, blocks and braille are drawn here, since fonts leave gaps between them.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyte
from PIL import Image, ImageDraw, ImageFont

FRAMES_PER_SECOND = 10
LONGEST_SECONDS = 1.6  # a pause is never shown for longer
COLOURS = 96
SIZE = 14
MARGIN = 8
FOREGROUND, BACKGROUND = "#d0d4da", "#15181d"
FONTS = ("/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-{}.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono{}.ttf")
FALLBACK = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
NAMED = {
    "black": "#1d1f21",
    "red": "#cc6666",
    "green": "#98c379",
    "brown": "#e5c07b",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#c5c8c6",
}
LINES = {"─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ur", "┘": "ul", "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud"}
LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"
LOWER_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Cell(NamedTuple):
    text: str
    foreground: str
    background: str
    bold: bool
    underline: bool


@lru_cache
def font(bold: bool) -> ImageFont.FreeTypeFont:
    first = Path(FONTS[0].format("Bold" if bold else "Regular"))
    return ImageFont.truetype(str(first if first.exists() else FONTS[1].format("-Bold" if bold else "")), SIZE)


@lru_cache
def fallback(mono: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS[1].format("") if mono else FALLBACK, SIZE)


WIDTH = round(font(False).getlength("M"))
HEIGHT = sum(font(False).getmetrics())


@lru_cache(maxsize=4096)
def chosen(text: str, bold: bool) -> ImageFont.FreeTypeFont:
    """The first font that has a glyph for ``text``."""
    for candidate in (font(bold), fallback(True)):
        if candidate.getmask(text).getbbox() and bytes(candidate.getmask(text)) != bytes(candidate.getmask("\U0010fffd")):
            return candidate
    return fallback(False)


def colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return NAMED.get(name.removeprefix("bright"), f"#{name}" if len(name) == 6 else default)


def cells(screen: pyte.Screen, row: int) -> tuple[Cell, ...]:
    result = []
    for column in range(screen.columns):
        char = screen.buffer[row][column]
        front, back = colour(char.fg, FOREGROUND), colour(char.bg, BACKGROUND)
        cursor = (screen.cursor.y, screen.cursor.x) == (row, column) and not screen.cursor.hidden
        if char.reverse != cursor:
            front, back = back, front
        result.append(Cell(char.data, front, back, char.bold, char.underscore))
    return tuple(result)


@lru_cache(maxsize=4000)
def draw_row(row: tuple[Cell, ...]) -> Image.Image:
    image = Image.new("RGB", (len(row) * WIDTH, HEIGHT), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for number, cell in enumerate(row):
        draw.rectangle([number * WIDTH, 0, (number + 1) * WIDTH - 1, HEIGHT], fill=cell.background)
    for number, cell in enumerate(row):
        x = number * WIDTH
        if cell.text.strip() and not draw_shape(draw, cell, x):
            draw.text((x, 0), cell.text, font=chosen(cell.text, cell.bold), fill=cell.foreground)
        if cell.underline:
            draw.line([x, HEIGHT - 2, x + WIDTH - 1, HEIGHT - 2], fill=cell.foreground)
    return image


def draw_shape(draw: ImageDraw.ImageDraw, cell: Cell, x: int) -> bool:
    """Draws a line or block character that fills its cell; False if ``cell`` is none."""
    text, fill = cell.text, cell.foreground
    middle_x, middle_y = x + WIDTH // 2, HEIGHT // 2
    if text in LINES:
        ends = {"l": (x, middle_y), "r": (x + WIDTH, middle_y), "u": (middle_x, 0), "d": (middle_x, HEIGHT)}
        for direction in LINES[text]:
            draw.line([(middle_x, middle_y), ends[direction]], fill=fill)
    elif text in LEFT_EIGHTHS:
        draw.rectangle([x, 0, x + max(1, round(WIDTH * LEFT_EIGHTHS.index(text) / 8)) - 1, HEIGHT], fill=fill)
    elif text in LOWER_EIGHTHS:
        draw.rectangle([x, HEIGHT - round(HEIGHT * LOWER_EIGHTHS.index(text) / 8), x + WIDTH - 1, HEIGHT], fill=fill)
    else:
        return False
    return True


def draw_screen(screen: pyte.Screen) -> Image.Image:
    image = Image.new("RGB", (screen.columns * WIDTH + 2 * MARGIN, screen.lines * HEIGHT + 2 * MARGIN), BACKGROUND)
    for row in range(screen.lines):
        image.paste(draw_row(cells(screen, row)), (MARGIN, MARGIN + row * HEIGHT))
    return image


def main() -> None:
    cast, shots_file, gif, folder = (Path(argument) for argument in sys.argv[1:5])
    head, *lines = cast.read_text(encoding="utf-8").splitlines()
    size = json.loads(head)
    shots = sorted((at, name) for name, at in json.loads(shots_file.read_text()).items())
    screen = pyte.Screen(size["width"], size["height"])
    stream = pyte.Stream(screen)
    frames: list[Image.Image] = []
    seconds: list[float] = []
    due = 0.0
    folder.mkdir(parents=True, exist_ok=True)

    def take(until: float) -> None:
        """Frames of the screen as it is, up to a time."""
        nonlocal due
        if not any(line.strip() for line in screen.display):
            due = until  # the program has not begun to draw
        while due < until:
            image = draw_screen(screen)
            if frames and image.tobytes() == frames[-1].tobytes():
                seconds[-1] = min(LONGEST_SECONDS, seconds[-1] + 1 / FRAMES_PER_SECOND)
            else:
                frames.append(image)
                seconds.append(1 / FRAMES_PER_SECOND)
            due += 1 / FRAMES_PER_SECOND

    for line in lines:
        at, _, text = json.loads(line)
        while shots and shots[0][0] < at:
            draw_screen(screen).quantize(COLOURS * 2).save(folder / f"{shots.pop(0)[1]}.png", optimize=True)
        take(at)
        stream.feed(text)
    take(due + 1.5)
    for _, name in shots:
        draw_screen(screen).quantize(COLOURS * 2).save(folder / f"{name}.png", optimize=True)
    step = max(1, len(frames) // 12)
    sample = frames[::step][:12]
    mosaic = Image.new("RGB", (frames[0].width, frames[0].height * len(sample)))
    for number, image in enumerate(sample):
        mosaic.paste(image, (0, number * image.height))
    palette = mosaic.quantize(COLOURS, dither=Image.Dither.NONE)
    indexed = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in frames]
    durations = [round(length * 1000) for length in seconds]
    indexed[0].save(gif, save_all=True, append_images=indexed[1:], duration=durations, loop=0, optimize=False)
    print(f"{len(frames)} frames, {sum(seconds):.1f} s, {gif.stat().st_size / 1e6:.2f} MB before gifsicle")


main()
