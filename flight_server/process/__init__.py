"""One process: everything above put together, brought up and taken down in order.

``launch`` (``flight serve``, its child processes, the embedded server) ──► ``worker`` (the parts, and who gets which) ──►
``worker_actions`` (what other workers may ask of it).
"""
