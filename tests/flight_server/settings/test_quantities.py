from __future__ import annotations

import pytest

from flight_server.settings.quantities import format_seconds, format_size, machine_memory_bytes, machine_threads, parse_seconds, parse_size


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("1", 1), ("512MB", 512_000_000), ("4GiB", 4 << 30), ("1.5 kb", 1500), ("2G", 2_000_000_000), ("10%", 100)],
)
def test_sizes(text: str, bytes_: int) -> None:
    assert parse_size(text, whole_bytes=1000) == bytes_


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 QB", "0", "1e9", "ten"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size|less than one byte"):
        parse_size(text)


def test_a_percentage_needs_a_whole() -> None:
    with pytest.raises(ValueError, match="'70%' is not a size"):
        parse_size("70%")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86400), ("7d", 604800), ("250ms", 0.25)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


def test_sizes_for_people() -> None:
    assert [format_size(n) for n in (0, 999, 1000, 12_345, 9_960_000, 3 * 10**12)] == ["0 B", "999 B", "1.0 kB", "12 kB", "10 MB", "3.0 TB"]


def test_seconds_for_people() -> None:
    said = [format_seconds(s) for s in (0.00123, 0.25, 1.234, 59.999, 61, 3720)]
    assert said == ["1.2 ms", "250 ms", "1.23 s", "1 min 00 s", "1 min 01 s", "1 h 02 min"]


def test_a_machine_has_something() -> None:
    assert machine_threads() >= 1
    assert machine_memory_bytes() > 1 << 20
