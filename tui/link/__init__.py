"""What the terminal UI knows of the server, kept off the screen's thread.

``background`` (threads that may wait), ``server`` (what it asks of a server), ``session`` (is it there, what runs, which tables),
``run`` (a query of this sitting), ``runs`` (all of them) with their ``follower`` and ``tally``, ``row_source`` (a result as pages, made
as far as it is looked at), ``reaching`` (rows that are made because somebody wants to go there), ``derived`` (a result sorted or
filtered by a query), ``own_queries`` (what nobody has run: samples, charts), ``export``, ``leaving`` (what is dropped at the end).
"""
