"""What to run: SQL text → syntax tree → logical plan → optimized → fragments and exchanges.

The way through: ``tokens``, ``limits`` and ``refusals`` (text) ──► ``parse`` (text → tree, ``ast``) ──► ``survey`` and ``bind``
(tree → ``logical`` plan) ──► ``qualified_names``, ``optimize`` (rules) ──► ``fragment``, ``splits`` and ``render`` (logical plan →
fragments of SQL, ``physical``) ──► ``explain`` and ``operations`` (what people see of them). ``statements.plan`` is the door,
``query`` the way of one query through it;
``prepared.prepare`` stands before it for who has the text first and the values later (``parameter_types``, ``literals``).

Beside the way: ``catalog`` (what the planner asks of whoever calls it), ``functions`` and ``references`` (what an expression calls
and names), ``column_names``, ``quoting``, ``arrow_types``, ``words``, ``errors`` and ``kernel_errors`` (the kernel's words, as
ours). Pure: no I/O, no clock; tables and types come through the :class:`~planner.catalog.Catalog` that is passed in.
"""

from planner.options import PlanOptions
from planner.prepared import Prepared, prepare
from planner.statements import plan

__all__ = ["PlanOptions", "Prepared", "plan", "prepare"]
