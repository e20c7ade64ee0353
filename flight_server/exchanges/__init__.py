"""A plan's operators on all workers, and the exchanges through which records go from one to the next.

``distributed_scan`` (a parallel fragment of a query that this worker owns) starts instances here and, through ``remote_operators``, on the
others; those lease splits from it through ``remote_source``, and it pulls their outputs. ``exchange_service`` serves exchanges to other
workers; ``site`` is what a worker offers to all of them.
"""
