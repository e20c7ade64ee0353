"""The other workers: who they are, and how to ask them.

``membership`` (who is up: a pure table), ``cluster`` (the thread that keeps it true by beats), ``peers`` (calls to another worker),
``forwarding`` (questions about queries that another worker owns).
"""
