"""The process: how clients and workers reach each other, and who owns a query while it runs.

- The Flight face: ``server`` (plain Flight), ``flight_sql`` and its neighbours, ``tickets``, ``status`` (errors on the wire), ``service``
  (what the face asks of what is behind it).
- Queries: ``query_handler`` (accepts and owns them), ``query`` and ``query_state`` (one of them), ``scheduler`` (admission), ``execution``
  (a plan, run), ``distributed_scan`` (a fragment on all workers).
- Workers: ``worker`` (one process, put together), ``cluster`` (who is there), ``peers``, ``exchange_service``, ``remote_source``,
  ``remote_operators``, ``forwarding``.
- People: ``launch``, ``config``, ``cli``, ``client``, ``output``.
"""
