"""A plan's operators on all workers, and the exchanges through which records go from one to the next.

``distributed_fragment`` (a parallel fragment of a query that this worker owns) starts instances here and, through ``remote_operators``, on
the others; those lease shares from it through ``remote_source``, and it pulls their outputs. ``once_fragment`` runs what is not parallel.
``broadcasts`` are results of fragments that every worker fetches whole. ``exchange_service`` serves exchanges and tables to other workers;
``names`` says what they are called; ``site`` is what a worker offers to all of them.
"""
