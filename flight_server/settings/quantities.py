"""Sizes and durations as people write them (``4GB``, ``70%``, ``24h``), and what this machine has of each."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

from planner.sizes import format_size as format_size

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?\s*", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_CGROUP_MEMORY = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


def parse_size(text: str, *, whole_bytes: int | None = None) -> int:
    """``text`` in bytes: ``512MB`` (powers of 1000), ``512MiB`` (of 1024), ``70%`` of ``whole_bytes``.

    Raises ``ValueError`` for anything else, and for sizes below one byte.
    """
    percent = _PERCENT.fullmatch(text)
    size = _SIZE.fullmatch(text)
    if percent is not None and whole_bytes is not None:
        bytes_ = int(whole_bytes * float(percent[1]) / 100)
    elif size is not None:
        bytes_ = int(float(size[1]) * (1024 if size[3] else 1000) ** _POWERS[size[2].lower()])
    else:
        raise ValueError(f"'{text}' is not a size; write it like 512MB, 4GiB" + ("" if whole_bytes is None else " or 70%"))
    if bytes_ < 1:
        raise ValueError(f"'{text}' is less than one byte")
    return bytes_


def parse_seconds(text: str) -> float:
    """``text`` in seconds: ``90``, ``90s``, ``15m``, ``24h``, ``7d``. Raises ``ValueError`` for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a duration; write it like 90s, 15m, 24h or 7d")
    return float(match[1]) * _SECONDS[match[2].lower()]


def format_seconds(seconds: float) -> str:
    """A time span for people: ``4.2 ms``, ``1.25 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.09995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def machine_memory_bytes() -> int:
    """The memory that this process may use: the machine's, or its cgroup's where that is less."""
    total = int(psutil.virtual_memory().total)
    limits = [int(text) for path in _CGROUP_MEMORY if (text := _read(path)) is not None and text.isdigit()]
    return min([total, *limits])


def machine_threads() -> int:
    """The cores that this process may use: by its affinity and its cgroup's quota, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = (_read(_CGROUP_CPU) or "max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def _read(path: Path) -> str | None:
    """A small file's text; None where this system has no such file."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None
