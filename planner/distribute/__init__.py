"""Which blocks of a query run on shares of its tables, on all workers, and how what they answer is put together.

``scopes`` (with ``binding``, ``frames``, ``outputs``, ``mentions`` and ``meanings``) says of which relation each name's column is, and
``classes`` (``disjoint_sets``) which columns are equal. ``divide`` has the rules: by what tables may be divided so that a block can run on
shares, and where the query is cut. ``two_steps`` (``expressions``, ``partial_aggregates``) makes a block that is cut into what each share
is asked and what is asked of their answers; these are put together share by share, too, by ``final_shares``, and sorted so by
``sort_ranges``. ``ranges`` divides tables that are written in the order of a key, ``hashed`` (``reductions``) sends them through exchanges
by its hash. ``divisions`` suggests what may be worth a look; ``ways`` are those that the rules allow, with what they save by ``costs``,
where ``answer_sizes`` (``estimates``, ``selectivity``) tells how much shares answer. ``building`` makes fragments and exchanges of those
that are taken, ``once`` of what shares see whole, and ``sent`` says how rows travel; ``labels`` is what the graph says of itself to people,
``considered`` what EXPLAIN tells of the other ways. ``runtime_filters`` adds fragments that read keys first, to prune other scans by them,
where ``key_sources`` (``prunable``) says that this is right.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from planner.catalog import Column
from planner.choices import PlanChoice
from planner.distribute.building import Graph, GraphBuilder, NotBuilt
from planner.distribute.considered import choice_of, too_small
from planner.distribute.labels import labelled
from planner.distribute.runtime_filters import with_runtime_filters
from planner.distribute.scopes import bind_names
from planner.distribute.ways import Way, Ways, large_scans
from planner.logical import QueryBlock
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent

__all__ = ["Graph", "distributed", "with_runtime_filters"]


def distributed(
    query: QueryBlock,
    inputs: ScanInputs,
    prefix: str,
    extents: Mapping[str, ScanExtent],
    result: tuple[pa.Schema, tuple[Column, ...], str],
) -> tuple[Graph | None, PlanChoice | None]:
    """The graph that runs ``query`` on several workers; None where that saves nothing, or nothing can be divided for certain. And why.

    ``prefix`` begins no name of the statement; ``extents`` are those of the query's scans. ``result`` are the schema and the columns of
    the whole query, and its text.
    """
    large = large_scans(query, extents, inputs.options)
    if not large:
        return None, too_small(query, extents, inputs.options)  # before any name is looked at: most queries of small tables end here
    names = bind_names(query)
    ways = Ways(names, inputs, prefix, extents)
    found = ways.found(large)
    taken: list[Way] = []
    unbuilt: list[tuple[Way, str]] = []
    for way in found:
        if (inputs.options.forced or way.saved > 0) and not any(way.meets(other) for other in taken):
            taken.append(way)
    schema, columns, sql = result
    while taken:
        try:
            graph = GraphBuilder(ways, taken).graph(schema, columns, sql)
            return labelled(graph, names, taken), choice_of(ways, found, taken, unbuilt)
        except NotBuilt as error:
            if any(block.final is not None or block.ranges is not None for way in taken for block in way.blocks):
                plain = {id(way): way.without_final_shares() for way in taken}
                found, taken = [plain.get(id(way), way) for way in found], list(plain.values())
                continue
            kept = taken[:-1] if error.block is None else [way for way in taken if error.block not in way.blocks]
            unbuilt += [(way, str(error)) for way in taken if way not in kept]
            taken = kept
    return None, choice_of(ways, found, taken, unbuilt)
