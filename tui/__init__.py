"""The terminal UI: write SQL, watch it move through the cluster, look at the data.

It speaks Arrow Flight to a server and imports only ``flight_server.client``, ``messages``, ``statements`` and ``output``.
The rooms, from the network outwards:

    background      threads that do what may wait; answers come back on the thread of the loop
    session         the link to the server: is it there, what runs on it, which tables has it
    runs            the queries of this sitting: submitted, followed, killed; one after another or together
    row_source      a result as pages that come and go, whatever its size
    cells, amounts  values, sizes and times as people read them
    text_buffer     what an editor does to a text; highlight, completion: what it knows about SQL
    editor, results_table, plan_pane, chart_pane, queries_pane, cluster_pane, catalog_pane: one widget each
    documents, run_panel, popup, history, export, log, themes, keys: what holds them together
    app             the screen, its views and the loop

Widgets live on one thread. Nothing that may wait for the network, a disk or a lock runs there.
"""
