"""What runs: everything between a plan and its rows, on one machine, without a network of our own.

- Records and leases: ``records``, ``leases`` (the pure queue), ``exchange`` (shared by threads), ``gathering``, ``heartbeats``.
- Running: ``kernel`` (DuckDB), ``scans`` (files as relations), ``fragments`` (a kernel program over its inputs), ``producer`` (lease, run,
  commit, acknowledge), ``cancellation``.
- Results: ``materialize`` (rows in, row groups out), ``reading`` (by cursor), ``results`` (all of a server's), ``row_group_cache``.
- Files: ``storage`` (connections by name), ``footers``, ``catalog`` (files as tables).

Imports the planner's types; knows nothing of Flight, of other workers, or of who asked.
"""
