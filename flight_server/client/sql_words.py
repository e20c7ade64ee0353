"""The words of SQL that people are offered and shown in colour, and names as they stand beside them."""

from __future__ import annotations

import re

from planner.quoting import quote_name
from planner.words import words

KEYWORDS: tuple[str, ...] = tuple(
    """
    SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET DISTINCT ALL AS ON USING JOIN INNER LEFT RIGHT FULL OUTER CROSS NATURAL SEMI ANTI
    ASOF LATERAL UNION INTERSECT EXCEPT WITH RECURSIVE VALUES CASE WHEN THEN ELSE END AND OR NOT IN IS NULL TRUE FALSE LIKE ILIKE BETWEEN
    EXISTS ANY SOME CAST TRY_CAST EXTRACT INTERVAL DATE TIME TIMESTAMP ASC DESC NULLS FIRST LAST OVER PARTITION WINDOW ROWS RANGE GROUPS
    UNBOUNDED PRECEDING FOLLOWING CURRENT ROW QUALIFY FILTER WITHIN GROUPING SETS ROLLUP CUBE EXPLAIN ANALYZE DESCRIBE SHOW TABLES FETCH
    NEXT ONLY TABLESAMPLE INTEGER BIGINT SMALLINT TINYINT DOUBLE FLOAT REAL DECIMAL NUMERIC VARCHAR TEXT BOOLEAN BLOB UUID CREATE TABLE
    VIEW INSERT INTO COPY DROP REPLACE EXCLUDE PIVOT UNPIVOT SIMILAR ESCAPE COLLATE AT ZONE SET CURRENT_DATE CURRENT_TIMESTAMP SUMMARIZE
    """.split()  # noqa: SIM905
)

FUNCTIONS: tuple[str, ...] = tuple(
    """
    abs acos age any_value approx_count_distinct approx_quantile arg_max arg_min array_agg array_contains array_length array_slice ascii
    asin atan atan2 avg bit_and bit_or bit_xor bool_and bool_or cbrt ceil ceiling century chr coalesce concat concat_ws contains corr cos
    count count_if covar_pop covar_samp cume_dist date_add date_diff date_part date_sub date_trunc day dayname dayofweek dayofyear degrees
    dense_rank ends_with entropy epoch epoch_ms exp extract factorial first first_value floor format gcd generate_series greatest hash
    histogram hour if ifnull isfinite isnan json_extract json_extract_string kurtosis lag last last_day last_value lcm lead least left
    length list list_aggregate list_contains list_distinct list_sort list_sum list_transform ln log log10 log2 lower lpad ltrim make_date
    make_timestamp max md5 mean median min minute mod mode month monthname nth_value now ntile nullif percent_rank percentile_cont
    percentile_disc pi position pow power product quantile quantile_cont quantile_disc quarter radians random range rank read_files
    regexp_extract regexp_full_match regexp_matches regexp_replace repeat replace reverse right round row_number rpad rtrim second sha256
    sign sin skewness split_part sqrt starts_with stddev stddev_pop stddev_samp strftime string_agg string_split strlen strpos strptime
    struct_pack substr substring sum tan to_timestamp translate trim trunc typeof unnest upper var_pop var_samp variance week weekday year
    """.split()  # noqa: SIM905
)

# What the kernel and the parser take for no name either, and nobody is offered as a word.
_RESERVED = words(
    """
    ANALYSE ARRAY ASYMMETRIC AUTHORIZATION BINARY BOTH CHECK COLLATION COLUMN COLUMNS CONCURRENTLY CONSTRAINT DEFAULT DEFERRABLE DO FOR
    FOREIGN FREEZE GENERATED GLOB INITIALLY ISNULL LAMBDA LEADING MAP NOTNULL OVERLAPS PIVOT_LONGER PIVOT_WIDER PLACING POSITIONAL PRIMARY
    REFERENCES RETURNING STRUCT SYMMETRIC TO TRAILING TRIM TUPLE UNIQUE UNPACK VARIADIC VERBOSE
    """
)
_TAKEN = _RESERVED | frozenset(KEYWORDS)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def quoted(name: str) -> str:
    """``name`` as one writes it in SQL: in quotes only where it would not be itself without."""
    return name if _PLAIN_NAME.fullmatch(name) and name.upper() not in _TAKEN else quote_name(name)
