"""The kernel: ``kernel`` (DuckDB in process, locked down: one SELECT over relations in, Arrow batches out), ``kernel_run`` (a statement
while it runs), ``relations`` (what the names in it stand for), ``sendable`` (what Arrow has no word for, as text),
``kernel_errors`` (what it says, as errors of ours).
"""
