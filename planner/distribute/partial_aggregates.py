"""Aggregates in two steps: on each share their state, in one place the states together.

The kernel hands out the state of an aggregate as an Arrow value (``avg(x) EXPORT_STATE``, a count and a sum), takes it back
(``to_aggregate_state``), and puts states together (``combine_aggr``) as it does with those of its own threads. What the states of all
shares give is so the kernel's own answer, with its type, whatever the aggregate: provided that the order of rows does not matter to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.quoting import quote_name, quote_text
from planner.words import words

_LIKE_SUM = {
    **dict.fromkeys(("TINYINT", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    "UBIGINT": "HUGEINT",
    "UHUGEINT": "DOUBLE",
    "FLOAT": "DOUBLE",
}
_LIKE_AVG = {**_LIKE_SUM, "BIGNUM": "DOUBLE", **dict.fromkeys(("DATE", "TIMESTAMP_S", "TIMESTAMP_MS"), "TIMESTAMP_NS")}
_AS_IT_IS: Mapping[str, str] = {}

_BY_ARGUMENT: Mapping[str, Mapping[str, str]] = {
    "sum": _LIKE_SUM,
    "avg": _LIKE_AVG,
    "mean": _LIKE_AVG,
    **dict.fromkeys(words("min max bool_and bool_or bit_and bit_or bit_xor count_if countif approx_count_distinct"), _AS_IT_IS),
}
"""The aggregates whose state depends on their argument's type, with the types that they see others as."""

_OF_DOUBLES = words(
    """
    stddev stddev_pop stddev_samp var_pop var_samp variance sem skewness kurtosis kurtosis_pop product fsum favg kahan_sum sumkahan
    corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    """
)
"""The aggregates that see all their arguments as DOUBLE."""

WITH_PARTIAL_FORM = frozenset(_BY_ARGUMENT) | _OF_DOUBLES | {"count"}

BY_ARRIVAL = words(
    """
    any_value approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax
    argmin array_agg combine_aggr first group_concat last list listagg lttb max_by min_by mode reservoir_quantile string_agg
    variant_group_object json_group_array json_group_object json_group_structure
    """
)
"""The aggregates that may be another where rows come in another order."""

IN_ONE_PLACE = BY_ARRIVAL | words(
    """
    bitstring_agg count_star decimal_average entropy histogram histogram_exact mad median quantile quantile_cont quantile_disc
    sum_no_overflow grouping grouping_id
    """
)
"""The aggregates that need all rows of a group in one place: for their order, for a state that is all of its values or not handed out."""

AGGREGATES = WITH_PARTIAL_FORM | IN_ONE_PLACE


def combined(name: str, argument_types: Sequence[str], state: str) -> str:
    """The aggregate ``name``, in SQL, of all the states in the column ``state``, exported where its arguments had ``argument_types``."""
    if name == "count":
        seen: Sequence[str] = ("BIGINT",)  # it counts, whatever it is
    elif name in _OF_DOUBLES:
        seen = ["DOUBLE"] * len(argument_types)
    else:
        seen = [_BY_ARGUMENT[name].get(kind, kind) for kind in argument_types]
    signature = ", ".join(quote_text(kind) for kind in seen)
    return f"finalize(combine_aggr(to_aggregate_state({quote_name(state)}, {quote_text(name)}, [{signature}])))"
