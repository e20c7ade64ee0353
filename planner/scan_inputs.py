"""Scans as inputs of fragments: what of their files is read, and in which splits."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from planner.ast import Ast, all_of, substitute
from planner.catalog import Catalog
from planner.logical import Scan
from planner.optimize.prune_row_groups import prunable
from planner.options import PlanOptions
from planner.physical import ScanInput, Share, Split
from planner.quoting import folded
from planner.references import references
from planner.render import print_expression
from planner.splits import ScanExtent, parallel_shares, read_extent, unread_extent, whole_splits

KERNEL_SELECTIVITY = 0.2
"""The part of a scan's rows that the kernel takes its filters to leave."""


@dataclass(frozen=True, slots=True)
class ScanInputs:
    """Makes inputs of scans. ``chain_terms`` tells the printer how deep the tree may be."""

    catalog: Catalog
    options: PlanOptions
    chain_terms: int

    def extent(self, scan: Scan) -> ScanExtent:
        """What of the scan's files is to be read, as far as that matters to planning."""
        wanted = self.options.workers > 1 or (self.options.prune_row_groups and bool(scan.predicates))
        return read_extent(scan, self.catalog) if wanted else unread_extent(scan)

    def whole(self, scan: Scan, extent: ScanExtent) -> ScanInput:
        """The scan, read in one place."""
        return replace(self.bare(scan, extent), splits=whole_splits(scan, extent))

    def divided(self, scan: Scan, extent: ScanExtent, shares: Sequence[Share]) -> ScanInput:
        """The scan, with the splits of all shares that divide it."""
        splits = dict.fromkeys(split for share in shares for part in share.inputs if part.name == scan.name for split in part.splits)
        return self.in_shares(scan, extent, tuple(splits))

    def in_shares(self, scan: Scan, extent: ScanExtent, splits: tuple[Split, ...]) -> ScanInput:
        """The scan, each share of which has some of ``splits``."""
        rows = extent.rows
        if rows is not None and not prunable(scan):
            # By which rows are the share's is a filter, and the kernel takes any number of filters of one scan for as strict as one.
            rows = int(rows / KERNEL_SELECTIVITY)
        return replace(self.bare(scan, extent), splits=splits, expected_rows=rows)

    def shares(self, scan: Scan, extent: ScanExtent) -> tuple[Share, ...]:
        """Shares of the scan for all workers."""
        options = self.options
        least = 0 if options.forced else options.split_rows
        return parallel_shares(scan, extent, options.workers * options.splits_per_worker, least, options.max_split_rows)

    def bare(self, scan: Scan, extent: ScanExtent) -> ScanInput:
        """The scan, without splits."""
        table = scan.table
        return ScanInput(
            name=scan.name,
            table=table.name,
            columns=scan.needed,
            table_columns=scan.columns,
            splits=(),
            format=table.files[0].format if table.files else "parquet",
            predicate=self.predicate(scan),
            partition_columns=table.partition_columns,
            files_total=scan.files_total,
            row_groups_total=extent.row_groups_total,
            row_groups_kept=extent.row_groups_kept,
            options=table.options,
        )

    def predicate(self, scan: Scan) -> str | None:
        """The scan's predicates as SQL over its columns, without the alias that the user gave the table."""
        terms = [_unqualified(term, scan.alias) for term in scan.predicates]
        condition = terms[0] if len(terms) == 1 else all_of(terms)
        return None if condition is None else print_expression(condition, self.chain_terms)


def reading_only(scan: Scan, names: Container[str]) -> Scan:
    """The scan with its columns called ``names``, and those that its predicates need."""
    mentioned = references(*scan.predicates)
    return replace(scan, needed=tuple(each for each in scan.columns if each.name in names or mentioned.needs(each.name, scan.alias)))


def _unqualified(term: Ast, alias: str) -> Ast:
    def strip(node: Ast) -> Ast | None:
        parts = node.get("CompoundIdentifier")
        if parts is None or len(parts) < 2 or folded(str(parts[0]["value"])) != alias:
            return None
        return {"Identifier": parts[1]} if len(parts) == 2 else {"CompoundIdentifier": parts[1:]}

    return substitute(term, strip)  # type: ignore[no-any-return]
