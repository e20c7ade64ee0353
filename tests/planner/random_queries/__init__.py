"""Random queries over random tables: a plan's answer, and that of one fragment, is the kernel's own to the same text.

``lake`` writes the tables, ``compared_catalog`` shows them to the planner and to the kernel; ``expressions``, ``aggregates``,
``relations``, ``subqueries`` and ``statements`` make queries of what is visible in them; ``trial`` runs one and says how it ended;
``answers`` compares; ``shrinking`` makes a query that failed as small as it can be; ``run`` is many of them, with counts of what was
planned how, and ``measured`` what those plans are. Each query is determined: its rows are the same in whatever order its tables' rows come.
``python -m tests.planner.random_queries --queries 10000`` runs as many as one likes.
"""
