"""What to run: SQL text → syntax tree → logical plan → optimized → fragments and exchanges.

The way through: ``tokens``, ``limits``, ``spellings`` and ``refusals`` (text) ──► ``parse`` (text → tree, ``ast``) ──► ``survey``
and ``bind`` (tree → ``logical`` plan) ──► ``qualified_names``, ``optimize`` (rules) ──► ``fragment``, ``distribute`` (which blocks run
on shares), ``scan_inputs``, ``splits``, ``render`` and ``reshape`` (logical plan → fragments of SQL, ``physical``) ──► ``explain`` and
``operations``. ``statements.plan`` is the door,
``query`` the way of one query through it; ``prepared.prepare`` stands before it for who has the text first and the values later
(``parameter_places``, ``parameter_types``, ``parameter_kinds``, ``parameter_probes``, ``parameter_names``, and ``typed_literals`` for
what is bound). ``spellings`` has a module for each group of forms, ``optimize`` one for each rule.

Beside the way: ``show`` (questions about tables), ``session`` (what tools send first), ``information_schema``, ``catalog`` (what
the planner asks of whoever calls it, of ``row_groups`` column by column), ``functions`` and ``references`` (what an expression calls and
names), ``read_options`` (what ``read_files`` may be told), ``column_names``, ``origins`` (which table a column comes from), ``quoting``
and ``literals``, ``arrow_types``, ``words``, ``errors`` and ``kernel_errors`` (the kernel's words, as ours). Pure: no I/O, no clock;
tables and types come through the :class:`~planner.catalog.Catalog` that is passed in.
"""

from planner.options import PlanOptions
from planner.prepared import Prepared, prepare
from planner.statements import plan

__all__ = ["PlanOptions", "Prepared", "plan", "prepare"]
