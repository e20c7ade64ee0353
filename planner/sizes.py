"""Bytes, as people read them."""

from __future__ import annotations


def format_size(bytes_: int | float) -> str:
    """``0 B``, ``1.2 kB``, ``34 MB``."""
    value = float(bytes_)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} PB"
