"""The terminal UI: write SQL, watch it move through the cluster, look at the data.

It speaks Arrow Flight to a server and imports only ``flight_server.client`` and the messages. The rooms, from the screen to the network:

    app           the screen, the loop
    actions       what keys do
    panes         results, plan, chart, queries, cluster, catalog: one widget each
    editor        writing SQL
    draw          how things look
    link          the server, off the screen's thread

At the root, what rooms share: ``keys``, ``log``. Widgets live on one thread. Nothing that may wait for the network, a disk or a lock runs
there.
"""
