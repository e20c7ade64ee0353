"""Files as relations.

``catalog`` (tables of folders and globs; ``table_files``, ``column_types``, ``row_groups``) tells the planner what there is. ``scans``
makes a relation of splits: ``pieces`` (what a split means in a file), ``needed_bytes`` and ``remote_files`` (fetching just that from
object stores), ``corrupt_files`` (which file it was).
"""
