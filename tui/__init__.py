"""The terminal UI: write SQL, watch it move through the cluster, look at the data.

It speaks Arrow Flight to a server and imports only ``flight_server.client`` and the messages. The rooms, from the screen to the network:

    app           puts all together, and runs the loop
    actions       what keys do that is about more than one widget
    panes         results, plan, chart, queries, cluster, catalog: one widget each
    editor        writing SQL
    draw          how things look
    link          the server, off the screen's thread

A key goes down to the widget with the focus; what that does not do itself comes back to ``app`` as the name of an action, and ``app`` looks
it up in the tables of ``actions``. News of the server go up from ``link``, as calls to those who listen.

At the root, what rooms share: ``keys``, ``log``. Widgets live on one thread. Nothing that may wait for the server runs there; of what is
on a disk, only what is small: a text that is opened or saved, a line of history.
"""
