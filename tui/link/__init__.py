"""What the terminal UI knows of the server, kept off the screen's thread.

``background`` (threads that may wait), ``server`` (what it asks of a server), ``session`` (is it there, what runs, which tables),
``runs`` (the queries of this sitting) and their ``follower``, ``row_source`` (a result as pages), ``derived`` (a result sorted or filtered
by a query), ``own_queries`` (what nobody has run: samples, counts), ``export``.
"""
