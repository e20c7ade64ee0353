"""The Flight face: every call of a client comes in here, is checked, and goes on to one of ``protocol.service.Services``.

``server`` (plain Flight, and the door for all calls) ──► ``flight_sql`` (its commands and tickets), ``sql_actions`` (its actions),
``prepared``, ``transactions`` and ``sessions`` (what lasts from one call to the next), ``catalog_tables``, ``sql_info`` and
``xdbc_types`` (what tools ask), ``column_metadata`` (what they read of a column). Rows leave through ``streams``, in ``parts`` where a
client asks for several; ``guard`` lets only errors that a client may see get out. ``credentials`` is for drivers that log in where
nobody has to.
"""
