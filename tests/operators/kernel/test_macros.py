from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operators.errors import KernelError
from operators.kernel.kernel import Kernel


@pytest.fixture(name="kernel", scope="module")
def _kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    scratch: Path = tmp_path_factory.mktemp("kernel")
    kernel = Kernel(1, 256 << 20, scratch, {})
    yield kernel
    kernel.close()


def value(kernel: Kernel, expression: str, time_zone: str = "UTC") -> object:
    with kernel.run(f"SELECT {expression} AS v", {}, time_zone=time_zone) as run:
        (batch,) = run
    return batch["v"][0].as_py()


def test_everybody_is_volley(kernel: Kernel) -> None:
    told = value(kernel, "[current_user, session_user, user, current_role, current_catalog, current_database()]")
    assert told == ["volley"] * 6


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        # The first two are PostgreSQL's own examples.
        ("date_bin('15 minutes', TIMESTAMP '2020-02-11 15:44:17', TIMESTAMP '2001-01-01')", "2020-02-11 15:30:00"),
        ("date_bin('15 minutes', TIMESTAMP '2020-02-11 15:44:17', TIMESTAMP '2001-01-01 00:02:30')", "2020-02-11 15:32:30"),
        ("date_bin(INTERVAL '7 days', TIMESTAMP '1960-01-01 10:00:00')", "1959-12-31 00:00:00"),
        ("date_bin(INTERVAL '1 day', TIMESTAMP '2000-01-01 10:00:00', TIMESTAMP '2024-06-01 11:00:00')", "1999-12-31 11:00:00"),
        ("date_bin(INTERVAL '1 hour', DATE '2024-03-31')", "2024-03-31 00:00:00"),
        ("date_bin(INTERVAL '1 hour', TIMESTAMP_NS '2024-03-31 10:30:00.123456789')", "2024-03-31 10:00:00"),
        (
            "date_bin(INTERVAL '60 second', TIMESTAMPTZ '2024-03-31 10:30:30+02', TIMESTAMP '1970-01-01T00:00:00Z')",
            "2024-03-31 08:30:00+00",
        ),
        ("date_bin(INTERVAL '1 hour', NULL::TIMESTAMP)", None),
    ],
)
def test_date_bin_is_postgresqls(kernel: Kernel, expression: str, answer: str | None) -> None:
    assert value(kernel, f"({expression})::VARCHAR") == answer


def test_a_days_stride_has_as_many_hours_on_every_day(kernel: Kernel) -> None:
    """Where time_bucket counts the days of the calendar, in a zone with daylight saving."""
    binned = "date_bin(INTERVAL '1 day', TIMESTAMPTZ '2024-04-01 12:00:00+02', TIMESTAMP '2024-03-31 00:00:00')::VARCHAR"
    assert value(kernel, binned, "Europe/Berlin") == "2024-04-01 01:00:00+02"
    assert value(kernel, binned) == "2024-04-01 00:00:00+00"


def test_bins_of_any_stride_begin_at_multiples_from_the_origin(kernel: Kernel) -> None:
    chance = random.Random(14)
    for _ in range(40):
        source, origin = (datetime(2000, 1, 1) + timedelta(microseconds=chance.randint(-(10**15), 10**15)) for _ in range(2))
        stride = timedelta(microseconds=chance.choice([1, 999, 10**6, 3_600 * 10**6, 7 * 86_400 * 10**6]) * chance.randint(1, 9))
        wanted = origin + (source - origin) // stride * stride
        of = f"INTERVAL '{stride // timedelta(microseconds=1)} microseconds'"
        assert value(kernel, f"date_bin({of}, TIMESTAMP '{source}', TIMESTAMP '{origin}')") == wanted
        zoned = value(kernel, f"date_bin({of}, TIMESTAMPTZ '{source}+00', TIMESTAMPTZ '{origin}+00')", "America/St_Johns")
        assert zoned == wanted.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stride", "told"),
    [("1 month", "no stride of months"), ("1 year", "write time_bucket"), ("0 s", "greater than zero"), ("-1 h", "than zero")],
)
def test_strides_that_postgresql_refuses_are_refused(kernel: Kernel, stride: str, told: str) -> None:
    for origin in ("", ", TIMESTAMP '2024-01-01'"):
        with pytest.raises(KernelError, match=told):
            value(kernel, f"date_bin(INTERVAL '{stride}', TIMESTAMP '2024-02-01 10:00:00'{origin})")
