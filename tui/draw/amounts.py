"""Numbers, sizes and times as people read them."""

from __future__ import annotations

_BYTE_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_COUNT_UNITS = ("", "K", "M", "G", "T")


def count(value: int) -> str:
    """``1234567`` as ``1,234,567``."""
    return f"{value:,}"


def short_count(value: int) -> str:
    """``1234567`` as ``1.23M``; exact below ten thousand."""
    if abs(value) < 10_000:
        return f"{value:,}"
    return _scaled(value, 1000, _COUNT_UNITS, "")


def size(value: int) -> str:
    """A number of bytes in decimal units, at most three digits long: ``12.3 MB``."""
    return _scaled(value, 1000, _BYTE_UNITS, " ")


def seconds(value: float) -> str:
    """A length of time: ``3 ms``, ``1.25 s``, ``2 m 05 s``, ``3 h 20 m``."""
    if value < 0.9995:
        return f"{max(0.0, value) * 1000:.0f} ms"
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def percent(share: float, *, over: bool = False) -> str:
    """A share (0 … 1) as a whole per cent, rounded down; ``100%`` only of what is ``over``."""
    return f"{100 if over else min(99, int(share * 100))}%"


def plural(number: int, noun: str) -> str:
    """``1 row``, ``2 rows``, ``2 queries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{count(number)} {noun[:-1]}ies" if noun.endswith("y") else f"{count(number)} {noun}s"


def bar(share: float, width: int) -> str:
    """A bar of ``width`` characters of which ``share`` (0 … 1) is full, in eighths of a character."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    partial = " ▏▎▍▌▋▊▉"[rest] if rest else ""
    return ("█" * full + partial).ljust(width)


def _scaled(value: int, step: int, units: tuple[str, ...], space: str) -> str:
    amount = float(value)
    unit = 0
    while abs(amount) >= step and unit < len(units) - 1:
        amount /= step
        unit += 1
    if unit == 0:
        return f"{value}{space}{units[0]}"
    digits = 2 if abs(amount) < 10 else 1 if abs(amount) < 100 else 0
    return f"{amount:.{digits}f}{space}{units[unit]}"
