"""What travels between clients and workers, as types; no socket is opened here.

``messages`` (JSON for clients), ``exchange_messages`` (JSON between workers), ``tickets``, ``any_message`` and ``flight_sql_pb2`` (Flight
SQL's protobuf), ``wire_types`` and ``message_sizes`` (Arrow that every client can read), ``like`` (patterns), ``status`` (errors onto the
wire) and ``client_errors`` (errors off it). ``service`` says what ``endpoints`` ask and others answer.
"""
