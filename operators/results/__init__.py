"""A query's rows: ``materialize`` (batches in, row groups out) ──► ``result_files`` (on storage) ──► ``reading`` (by cursor, while it
grows and after), ``row_group_cache``. ``results`` is all of a server's.
"""
