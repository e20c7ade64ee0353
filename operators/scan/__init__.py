"""Files as relations.

``catalog`` tells the planner what there is: ``data_roots`` (what stands under a table's name) over ``listings`` (what storage lists, as one
query sees it), ``table_files`` (which files make a table), ``file_columns`` (what is in them; ``column_names``, ``column_types``,
``row_groups``). ``scans`` makes a relation of splits: ``pieces`` (what a split means in a file), ``needed_bytes`` and ``remote_files``
(fetching just that from object stores), ``corrupt_files`` (which file it was).
"""
