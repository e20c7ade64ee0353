"""The queries that a worker accepted: from a text to an ended query.

``query_handler`` (the door: submit, read, status, kill) ──► ``statement_planner`` (text to plan) ──► ``query_runner`` (which there are,
each run from start to end) ──► ``scheduler`` (admission), ``query`` and ``query_state`` (one query's life) ──► ``execution`` (its plan,
run). ``stored`` tells of queries of which only the result is left, ``analyze`` words what EXPLAIN ANALYZE says, ``planned_ahead`` keeps
a plan made for its schema alone, ``table_listing`` tells of tables, ``recurring`` runs what comes back for ever.
"""
