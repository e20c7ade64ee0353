"""What runs: everything between a plan and its rows, on one machine, without a network of our own.

Rooms, each above all that it imports; splits go in at the top, rows come out into ``results``:

    run           a fragment over its inputs: once, or split by split by the instances of a producer
    scan          files as relations: the catalog, row-group statistics, what of a file a split needs
    kernel        DuckDB: one SELECT over relations
    storage       connections by name: listing and reading files, Parquet footers
    exchange      records, leases, and the heartbeats that keep them
    results       a query's rows in row groups: written, stored, read by cursor

At the root, what rooms share: ``errors``, ``cancellation``, ``batch_sizes``, ``claimed_directory``. Imports the planner's types; knows
nothing of Flight, of other workers, or of who asked.
"""
