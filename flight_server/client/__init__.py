"""A client of Volley over plain Arrow Flight, and what the command line and the terminal UI share with it.

``client`` (the calls), ``parameters`` (values beside a statement), ``statements`` (a file of SQL, split), ``sql_words``, ``sql_scope``
and ``named_queries`` (what completion offers, and what first), ``text_columns``, ``box_tables`` and ``uncut_tables`` (values and tables for
a terminal), ``output`` and ``text_formats`` (results in every format).
This is all that the terminal UI may know of the server.
"""

from flight_server.client.client import Client, Submitted
from flight_server.errors import ClientError
from planner.quoting import quote_name, quote_text

__all__ = ["Client", "ClientError", "Submitted", "quote_name", "quote_text"]
