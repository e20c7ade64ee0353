"""The other workers: who they are, and how to ask them.

``membership`` (who is there: a pure table), ``cluster`` (the thread that keeps it true by beats), ``peers`` (calls to another worker),
``forwarding`` (questions about queries that another worker owns), ``passage`` (a stream of its, passed on).
"""
