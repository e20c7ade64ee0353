"""What to run: SQL text → syntax tree → logical plan → optimized → fragments and exchanges.

The way through, one room after the other: ``tokens``, ``limits`` and ``parse`` (text → tree), ``survey`` and ``bind`` (tree → logical
plan), ``optimize`` (rules), ``fragment`` and ``render`` (logical plan → fragments of SQL), ``explain``. ``statements.plan`` is the door;
``prepared.prepare`` stands before it for who has the text first and the values later.
Pure: no I/O, no clock; tables and types come through the :class:`~planner.catalog.Catalog` that is passed in.
"""

from planner.options import PlanOptions
from planner.prepared import Prepared, prepare
from planner.statements import plan

__all__ = ["PlanOptions", "Prepared", "plan", "prepare"]
