"""The process: how clients and workers reach each other, and who owns a query while it runs.

Rooms, each above all that it imports; a call comes in at the top left and its rows leave there again:

    cli           the ``flight`` command
    process       a worker put together, its actions for other workers, start and stop of processes
    endpoints     Flight and Flight SQL: what a client may call ──► ``protocol.service``
    queries       who owns a query: planned, admitted, run, answered for
    exchanges     a plan's operators on all workers, and the exchanges between them
    cluster       who the other workers are, how to call them, questions passed on to them
    client        a client, and what the command line and the terminal UI share with it
    settings      the configuration
    protocol      what travels: messages, tickets, types, errors; and the one protocol between endpoints and queries

``endpoints`` and ``queries`` do not know each other: they meet in ``protocol.service``, and ``process`` puts one before the other.
At the root: ``errors``, which all rooms share.
"""
