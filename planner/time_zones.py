"""Time zones by their names: which there are, under which of its names each is known, and what was likely meant.

They are those of the tz database that the kernel knows: Arrow's clients know these, too. Of fixed offsets there are whole hours, as
``Etc/GMT-2``: with a sign as POSIX has it, which is why ``UTC+2`` and ``GMT+2`` are refused, which PostgreSQL and the kernel read in
opposite ways.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

from planner.words import words

UTC = "UTC"
"""The zone of who has said nothing else."""

_UTC_NAMES = words(
    """
    utc etc/utc etc/universal universal zulu etc/zulu gmt etc/gmt uct etc/uct z gmt0 etc/gmt0 gmt+0 etc/gmt+0 gmt-0 etc/gmt-0 greenwich
    etc/greenwich
    """
)
_KERNEL_ONLY = words(
    """
    act aet agt art ast bet bst cat cnt cst ctt eat ect iet ist jst mit net nst plt pnt prt pst sst vst canada/east-saskatchewan
    us/pacific-new
    """
)
"""What the kernel calls zones and the tz database does not: most of them mean several zones."""
_KERNEL_ONLY_AREA = "systemv/"
_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::?00)?")
_ZONED_OFFSET = re.compile(r"(?:utc|gmt)[+-]\d.*")
_EASTERNMOST, _WESTERNMOST = 14, 12
NEAR_NAMES = 3
ALIKE = 0.6


def zone_named(written: str, known: Collection[str]) -> str | None:
    """The zone that is called so, in any case, as the tz database spells it; None if there is none. ``known``: those of the kernel."""
    name = written.strip().lower()
    if name in _UTC_NAMES:
        return UTC
    if (offset := _OFFSET.fullmatch(name)) is not None:
        return _at_offset(-int(offset[2]) if offset[1] == "-" else int(offset[2]))
    return None if _is_refused(name) else next((zone for zone in known if zone.lower() == name), None)


def near_zones(written: str, known: Collection[str]) -> list[str]:
    """Names like one that there is not, the likeliest first."""
    name = written.strip().lower()
    if _ZONED_OFFSET.fullmatch(name) is not None:
        return []
    spelled = {zone.lower(): zone for zone in known if not _is_refused(zone.lower())}
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(spelled, reverse=True) if "/" in zone}
    near = [*get_close_matches(name, spelled, NEAR_NAMES, ALIKE), *(cities[city] for city in get_close_matches(name, cities, 1, 0.8))]
    return [spelled[zone] for zone in dict.fromkeys(near)][:NEAR_NAMES]


def _is_refused(name: str) -> bool:
    return name in _KERNEL_ONLY or name.startswith(_KERNEL_ONLY_AREA) or _ZONED_OFFSET.fullmatch(name) is not None


def _at_offset(hours_east: int) -> str | None:
    if not hours_east:
        return UTC
    if not -_WESTERNMOST <= hours_east <= _EASTERNMOST:
        return None
    return f"Etc/GMT{-hours_east:+d}"
