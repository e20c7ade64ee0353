"""Time zones: their names, and that a plan for a session's zone gives what the kernel gives in it."""

from __future__ import annotations

import zoneinfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.time_zones import near_zones, zone_named
from tests.planner.answers import check
from tests.planner.memory_catalog import FolderCatalog, connect, direct_kernel, in_zone, kernel, run_plan, scans

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Etc/GMT-2"]
"""One with daylight saving, one west of it by a half hour, one of 45 minutes, one that left out a day, and a fixed offset."""

QUERIES = [
    "SELECT ts, ts::DATE AS day, ts::TIMESTAMP AS wall, ts::VARCHAR AS text FROM moments ORDER BY n",
    "SELECT date_trunc('day', ts) AS day, count(*) AS n FROM moments GROUP BY ALL ORDER BY ALL",
    "SELECT date_trunc('month', ts) AS month, min(ts), max(ts) FROM moments GROUP BY ALL ORDER BY ALL",
    "SELECT n, hour(ts) AS h, dayofweek(ts) AS d, extract(timezone_hour FROM ts) AS z FROM moments WHERE hour(ts) = 2 ORDER BY n",
    "SELECT n, strftime(ts, '%Y-%m-%d %H:%M') AS s FROM moments WHERE strftime(ts, '%d %H') = '31 02' ORDER BY n",
    "SELECT n FROM moments WHERE ts >= '2024-03-31' AND ts < '2024-04-01' ORDER BY n",
    "SELECT n FROM moments WHERE ts BETWEEN '2024-03-31 01:30:00' AND '2024-03-31 03:30:00' ORDER BY n",
    "SELECT n FROM moments WHERE ts = '2024-10-27 02:00:00' ORDER BY n",
    "SELECT n FROM moments WHERE ts < TIMESTAMP '2024-01-01 12:00:00' ORDER BY n",
    "SELECT n FROM moments WHERE ts >= DATE '2024-12-30' ORDER BY n",
    "SELECT n FROM moments WHERE ts = TIMESTAMPTZ '2024-07-01 00:00:00+00' ORDER BY n",
    "SELECT n FROM moments WHERE wall < TIMESTAMPTZ '2024-01-02 00:00:00+00' ORDER BY n",
    "SELECT n FROM moments WHERE wall = ts ORDER BY n LIMIT 5",
    "SELECT n FROM moments WHERE ts IN ('2024-02-29 00:00:00', '2024-02-29 06:00:00') ORDER BY n",
    "SELECT n FROM moments WHERE ts::DATE = '2024-03-31' ORDER BY n",
    "SELECT n FROM moments WHERE day = ts::DATE AND n < 100 ORDER BY n",
    "SELECT ts + INTERVAL 1 DAY AS later, ts + INTERVAL 24 HOUR AS hours FROM moments WHERE ts::DATE = '2024-03-30' ORDER BY n",
    "SELECT age(ts, TIMESTAMPTZ '2024-01-01 00:00:00+00') AS a FROM moments WHERE n < 20 ORDER BY n",
    "SELECT ts AT TIME ZONE 'Asia/Tokyo' AS tokyo, wall AT TIME ZONE 'America/New_York' AS york FROM moments WHERE n < 20 ORDER BY n",
    "SELECT time_bucket(INTERVAL '1 day', ts) AS b, count(*) FROM moments GROUP BY ALL ORDER BY ALL LIMIT 20",
    "SELECT list(ts ORDER BY n) AS l, {'a': max(ts)} AS s, map([min(ts)], [1]) AS m FROM moments WHERE n < 5",
    "SELECT TIMETZ '12:00:00+05:30' AS t, '12:00'::TIMETZ AS u, ts::TIMETZ::VARCHAR AS v FROM moments WHERE n < 5 ORDER BY n",
    "SELECT (text::TIMESTAMPTZ) AS t FROM moments WHERE text::TIMESTAMPTZ < '2024-01-03' ORDER BY n",
    "SELECT count(*) FROM moments a JOIN moments b ON a.ts = b.wall WHERE a.n < 200",
    "SELECT make_timestamptz(2024, 3, 31, 2, 30, 0) AS t, to_timestamp(0)::VARCHAR AS e, current_date = (now()::DATE) AS today",
    "SELECT generate_series(TIMESTAMPTZ '2024-03-30', TIMESTAMPTZ '2024-04-02', INTERVAL 1 DAY) AS g",
]


@pytest.fixture(name="moments", scope="module")
def _moments(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    """A year by quarters of a day, in row groups of about two weeks."""
    root = tmp_path_factory.mktemp("moments")
    connect().execute(
        f"""COPY (
            SELECT i AS n, to_timestamp(1704067200 + i * 21600) AS ts, TIMESTAMP '2024-01-01' + to_hours(6 * i) AS wall,
                (TIMESTAMP '2024-01-01' + to_hours(6 * i))::DATE AS day, (TIMESTAMP '2024-01-01' + to_hours(6 * i))::VARCHAR AS text
            FROM range(1464) t(i)
        ) TO '{root}/moments.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)"""
    )
    table = connect().sql(f"FROM '{root}/moments.parquet'").to_arrow_table()
    pq.write_table(table, root / "moments.parquet", row_group_size=61)
    return FolderCatalog(root)


@pytest.mark.parametrize("zone", ZONES)
def test_answers_are_those_of_the_kernel_in_that_zone(moments: FolderCatalog, zone: str) -> None:
    moments.time_zone = zone
    direct = direct_kernel(moments)
    direct.execute(f"SET GLOBAL TimeZone = '{zone}'")
    for sql in QUERIES:
        check(sql, moments, direct)


def test_a_text_means_another_moment_in_another_zone(moments: FolderCatalog) -> None:
    """Those of row 1 (six o'clock in UTC) are not the same, although all else is."""
    found = {}
    for zone in ("UTC", "Etc/GMT-6"):
        moments.time_zone = zone
        planned = plan("SELECT n FROM moments WHERE ts = '2024-01-01 06:00:00'", moments, PlanOptions())
        assert [fragment.time_zone for fragment in planned.fragments] == [zone]
        found[zone] = run_plan(planned)["n"].to_pylist()
    assert found == {"UTC": [1], "Etc/GMT-6": [0]}


def test_values_and_conditions_without_a_zone_still_leave_row_groups_out(moments: FolderCatalog) -> None:
    moments.time_zone = "Asia/Kathmandu"
    planned = plan("SELECT n FROM moments WHERE wall < '2024-01-03'", moments, PlanOptions())
    (scan,) = scans(planned)
    assert (scan.row_groups_kept, scan.row_groups_total) == (1, 24)


def test_a_parameter_is_an_instant_in_every_zone(moments: FolderCatalog) -> None:
    value = pa.scalar(1704088800000000, pa.timestamp("us", "UTC"))
    for zone in ZONES:
        moments.time_zone = zone
        made = plan("SELECT n, ?::VARCHAR AS shown FROM moments WHERE ts = ?", moments, PlanOptions(), [value, value])
        rows = run_plan(made).to_pylist()
        shown = in_zone(kernel(), zone).sql("SELECT to_timestamp(1704088800)::VARCHAR").fetchall()
        assert rows == [{"n": 1, "shown": shown[0][0]}]


def test_columns_say_the_zone_of_the_session(moments: FolderCatalog) -> None:
    moments.time_zone = "Europe/Berlin"
    kind = pa.timestamp("us", "Europe/Berlin")
    assert plan("SELECT ts, [ts] AS l FROM moments", moments, PlanOptions()).schema.types == [kind, pa.list_(pa.field("l", kind))]


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("europe/berlin", "Europe/Berlin"),
        (" America/St_Johns ", "America/St_Johns"),
        ("CET", "CET"),
        ("utc", "UTC"),
        ("GMT", "UTC"),
        ("Z", "UTC"),
        ("+00:00", "UTC"),
        ("-00", "UTC"),
        ("0", "UTC"),
        ("2", "Etc/GMT-2"),
        ("+02:00", "Etc/GMT-2"),
        ("-0700", "Etc/GMT+7"),
        ("-12", "Etc/GMT+12"),
        ("+14", "Etc/GMT-14"),
        ("+15", None),
        ("-13", None),
        ("+05:30", None),
        ("UTC+2", None),
        ("GMT-2", None),
        ("PST", None),
        ("SystemV/PST8", None),
        ("Mars/Olympus", None),
        ("", None),
    ],
)
def test_a_zone_is_known_by_its_names(catalog: FolderCatalog, written: str, zone: str | None) -> None:
    assert zone_named(written, catalog.time_zones()) == zone


def test_every_zone_that_is_known_is_one_to_clients_and_to_the_kernel(catalog: FolderCatalog) -> None:
    known = catalog.time_zones()
    accepted = {zone for name in [*known, *(f"{hour:+d}" for hour in range(-12, 15))] if (zone := zone_named(name, known)) is not None}
    assert len(accepted) > 500
    assert accepted <= zoneinfo.available_timezones()
    connection = connect()
    for zone in accepted:
        connection.execute(f"SET TimeZone = '{zone}'")
        assert connection.sql("SELECT current_setting('TimeZone')").fetchall() == [(zone,)]


@pytest.mark.parametrize(
    ("written", "near"),
    [("Europe/Berln", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("new_york", "America/New_York"), ("Asia/Katmandu ", "Asia/Katmandu")],
)
def test_near_names_are_told(catalog: FolderCatalog, written: str, near: str) -> None:
    assert near in near_zones(written, catalog.time_zones())


def test_what_is_like_no_zone_has_none_near(catalog: FolderCatalog) -> None:
    assert near_zones("qqqqqq", catalog.time_zones()) == []


def test_the_kernel_needs_nothing_from_outside() -> None:
    (told,) = duckdb.connect().sql("SELECT install_mode FROM duckdb_extensions() WHERE extension_name = 'icu' AND loaded").fetchall()
    assert told == ("STATICALLY_LINKED",)
