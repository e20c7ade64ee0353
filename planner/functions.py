"""Which functions a statement may call.

Table functions are allowed by name: whatever else can stand in FROM reads files, settings or the catalog. Of the scalar functions of
the kernel (DuckDB 2.0; all of ``duckdb_functions()`` was read), those are refused that reach for the environment, for settings, for
the running session or for another statement's text; unknown ones are the kernel's to refuse. ``ROW_BY_ROW`` says which calls may be
evaluated apart from the rows around them. The tests hold all lists to the kernel's own catalog.
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

CLOCK_VALUES = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
"""Names that tell the time where no column has them: without parentheses, and in quotes too, so that they look like columns."""
VALUES_WITHOUT_PARENTHESES = CLOCK_VALUES | words("current_catalog current_role current_schema current_user session_user user")
"""All names that are no columns where no column has them."""

ROW_BY_ROW = words(
    """
    coalesce columns ifnull try
    abs acos acosh add aggregate apply array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains
    array_cosine_distance array_cosine_similarity array_cross_product array_distance array_distinct array_dot_product array_extract
    array_filter array_grade_up array_has array_has_all array_has_any array_indexof array_inner_product array_intersect array_length
    array_negative_dot_product array_negative_inner_product array_pop_back array_pop_front array_position array_prepend
    array_push_back array_push_front array_reduce array_resize array_reverse array_reverse_sort array_select array_slice array_sort
    array_to_json array_to_string array_to_string_comma_default array_transform array_unique array_value array_where array_zip ascii
    asin asinh atan atan2 atanh bar base64 bin binom bit_count bit_length bit_position bitstring bitstring_byte_comparable
    can_cast_implicitly cardinality cast_to_type cbrt ceil ceiling century char_length character_length chr combine concat concat_ws
    constant_or_null contains cos cosh cot create_sort_key damerau_levenshtein date_add date_diff date_part date_sub date_trunc
    datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decimal_division decode
    degrees divide editdist3 element_at encode ends_with enum_code enum_first enum_last enum_range enum_range_boundary epoch
    epoch_ms epoch_ns epoch_us equi_width_bins era even exp factorial fdiv filter finalize flatten floor fmod format format_bytes
    formatreadabledecimalsize formatreadablesize from_base64 from_binary from_hex from_json from_json_strict gamma gcd
    generate_series get_bit get_type grade_up greatest greatest_common_divisor hamming hash hex hive_partition_component hour
    icu_sort_key if ilike_escape instr invoke is_histogram_other_bin isfinite isinf isnan isodow isoyear jaccard jaro_similarity
    jaro_winkler_similarity json json_array json_array_length json_contains json_copy_strftime_if_date
    json_copy_strftime_if_timestamp json_deep_merge json_exists json_extract json_extract_path json_extract_path_text
    json_extract_string json_insert json_keys json_merge_patch json_merge_patch_diff json_normalize json_object json_pretty
    json_quote json_remove json_replace json_serialize_sql json_set json_strip_nulls json_structure json_transform
    json_transform_strict json_type json_valid json_value julian last_day lcase lcm least least_common_multiple left left_grapheme
    len length length_grapheme levenshtein lgamma like_escape list_aggr list_aggregate list_any_value list_append list_apply
    list_approx_count_distinct list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat
    list_contains list_cosine_distance list_cosine_similarity list_count list_distance list_distinct list_dot_product list_element
    list_entropy list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any list_histogram list_indexof
    list_inner_product list_intersect list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median list_min list_mode
    list_negative_dot_product list_negative_inner_product list_pack list_position list_prepend list_product list_reduce list_resize
    list_reverse list_reverse_sort list_select list_sem list_skewness list_slice list_sort list_stddev_pop list_stddev_samp
    list_string_agg list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip ln log log10 log2
    lower lpad ltrim make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz make_type map
    map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries
    map_keys map_values md5 md5_number md5_number_lower md5_number_upper microsecond millennium millisecond minute mismatches mod
    month monthname multiply nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape nullif
    octet_length ord overlay parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path path_join pi position pow
    power prefix printf quarter radians range reduce regexp_escape regexp_extract regexp_extract_all regexp_full_match
    regexp_matches regexp_replace regexp_split_to_array remap_struct repeat replace replace_type reverse right right_grapheme round
    round_even roundbankers row row_to_json rpad rtrim second set_bit sha1 sha256 sign signbit sin sinh split split_part sqrt
    st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_crs st_geomfromgeojson st_geomfromwkb st_intersects_extent st_setcrs
    starts_with str_split str_split_regex strftime string_split string_split_regex string_to_array strip_accents strlen strpos
    strptime struct_concat struct_contains struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys
    struct_pack struct_position struct_update struct_values substr substring substring_grapheme subtract suffix switch tan tanh
    time_bucket timetz_byte_comparable timezone timezone_hour timezone_minute to_aggregate_state to_base to_base64 to_binary
    to_centuries to_days to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds to_minutes to_months
    to_quarters to_seconds to_timestamp to_weeks to_years translate trim trunc try_strptime typeof ucase unbin unhex unicode
    union_extract union_tag union_value upper url_decode url_encode uuid_extract_timestamp uuid_extract_version variant_array_length
    variant_bytes_to_variant variant_comparator variant_contains variant_exists variant_extract variant_extract_string variant_keys
    variant_normalize variant_to_parquet_variant variant_type variant_typeof vertex_extract week weekday weekofyear xor year
    yearweek
    """
)
"""The functions that make a value of one row's values, the same wherever and however often they are evaluated: only what calls no
others runs split by split, or moves to a scan. An aggregate, ``random()``, what reads the clock, what makes several rows, and
whatever a later kernel adds is evaluated where all rows are. The first line are those that the kernel knows as syntax."""

WINDOW_FUNCTIONS = words(
    "row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value first last fill"
)
"""The functions that only mean something with OVER; every aggregate may have it too."""


def is_refused_scalar(name: str) -> bool:
    """Whether a call of ``name`` (lower case) outside FROM is refused."""
    return name in _REFUSED_SCALARS or name in FILE_READERS or name.startswith(_REFUSED_PREFIXES)
