"""Which functions a statement may call.

Table functions are allowed by name: whatever else can stand in FROM reads files, settings or the catalog. Of the scalar functions of
the kernel (DuckDB 2.0; all of ``duckdb_functions()`` was read), those are refused that reach for the environment, for settings, for
the running session or for another statement's text; unknown ones are the kernel's to refuse.
"""

from __future__ import annotations

from planner.words import words

READ_FILES = "read_files"

TABLE_FUNCTIONS = words(
    """
    range generate_series unnest repeat repeat_row json_each json_tree generate_subscripts regexp_split_to_table pg_timezone_names
    icu_calendar_names test_all_types test_vector_types
    """
)

FILE_READERS = words(
    """
    read_parquet parquet_scan read_csv read_csv_auto read_json read_json_auto read_json_objects read_json_objects_auto read_ndjson
    read_ndjson_auto read_ndjson_objects read_text read_blob read_duckdb read_single_csv_file read_single_json_file
    read_single_parquet_file glob sniff_csv
    """
)

_REFUSED_SCALARS = words(
    """
    current_setting getvariable getenv getenv_or_null set_config which_secret write_log parse_duckdb_log_message current_query
    current_query_id current_connection_id nextval currval setval setseed sleep_ms pg_sleep query query_table
    json_execute_serialized_sql json_serialize_plan json_deserialize_sql index_key pg_get_viewdef pg_conf_load_time pg_read_file
    pg_ls_dir get_block_size in_search_path from_substrait from_substrait_json get_substrait checkpoint force_checkpoint
    enable_logging disable_logging enable_profiling disable_profiling truncate_duckdb_logs arrow_scan arrow_scan_dumb
    python_arrow_scan pandas_scan python_map_function seq_scan create_external_resource deregister_external_resource
    destroy_external_resource register_external_resource register_external_resource_type
    """
)
_REFUSED_PREFIXES = ("duckdb_", "pragma_", "parquet_", "read_", "pg_read_", "pg_ls_", "sniff_")

CLOCK = words(
    """
    now today age current_date current_time current_timestamp current_localtime current_localtimestamp get_current_time
    get_current_timestamp localtime localtimestamp transaction_timestamp
    """
)
"""Read the time at which the statement began, which is another on each worker."""

VOLATILE = (
    words(
        """
    random uuid uuidv4 uuidv7 gen_random_uuid nextval setval setseed stats vector_type error sleep_ms current_transaction_id
    txid_current
    """
    )
    | CLOCK
)
"""May give another value when evaluated elsewhere or again: they stay in the fragment that runs once."""

SET_RETURNING = frozenset(["unnest", "generate_subscripts", "regexp_split_to_table", "unpivot_list", "json_each", "json_tree"])

AGGREGATES = words(
    """
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last arg_min
    arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and bool_or combine_aggr
    corr count count_if count_star countif covar_pop covar_samp cume_dist decimal_average dense_rank entropy favg fill first
    first_value fsum geomean geometric_mean group_concat histogram histogram_exact json_group_array json_group_object
    json_group_structure kahan_sum kurtosis kurtosis_pop lag last last_value lead list listagg lttb mad max max_by mean median min
    min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank rank_dense regr_avgx regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile row_number sem skewness stddev
    stddev_pop stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance variant_group_array
    variant_group_object wavg weighted_avg
    """
)


def is_refused_scalar(name: str) -> bool:
    """Whether a call of ``name`` (lower case) outside FROM is refused."""
    return name in _REFUSED_SCALARS or name in FILE_READERS or name.startswith(_REFUSED_PREFIXES)
